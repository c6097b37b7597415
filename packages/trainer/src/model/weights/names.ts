type Rule = readonly [RegExp, string | ((...groups: string[]) => string)]

/** How one library names the parameters of one family. Which one a file follows is detected from its names. */
interface NamingScheme {
  readonly library: 'timm' | 'huggingface' | 'torchvision' | 'efficientnet-pytorch'
  readonly family: string
  /**
   * Applied in order; a name that no rule touches stays, and is reported as unexpected if no parameter has it. Made of
   * the model's own names, in order, where a library numbers its blocks without their stages.
   */
  readonly rules: (known: ReadonlySet<string>) => readonly Rule[]
}

const namingSchemes: readonly NamingScheme[] = [
  { library: 'timm', family: 'convnext', rules: () => [] },
  {
    library: 'huggingface',
    family: 'convnext',
    rules: () => [
      [/^convnext\.embeddings\.patch_embeddings\./, 'stem.0.'],
      [/^convnext\.embeddings\.layernorm\./, 'stem.1.'],
      [/^convnext\.encoder\.stages\.(\d+)\.downsampling_layer\./, 'stages.$1.downsample.'],
      [/^convnext\.encoder\.stages\.(\d+)\.layers\./, 'stages.$1.blocks.'],
      [/\.dwconv\./, '.conv_dw.'],
      [/^(stages\.\d+\.blocks\.\d+)\.layernorm\./, '$1.norm.'],
      [/\.pwconv([12])\./, '.mlp.fc$1.'],
      [/\.layer_scale_parameter$/, '.gamma'],
      [/^convnext\.layernorm\./, 'head.norm.'],
      [/^classifier\./, 'head.fc.'],
    ],
  },
  {
    library: 'torchvision',
    family: 'convnext',
    rules: () => [
      [/^features\.0\.([01])\./, 'stem.$1.'],
      // Blocks and downsampling alternate: features.1 is the first stage, features.2 leads to the second, and so on.
      [/^features\.(\d*[13579])\.(\d+)\./, (_, odd, block) => `stages.${(Number(odd) - 1) / 2}.blocks.${block}.`],
      [/^features\.(\d*[02468])\.([01])\./, (_, even, part) => `stages.${Number(even) / 2}.downsample.${part}.`],
      [/\.block\.0\./, '.conv_dw.'],
      [/\.block\.2\./, '.norm.'],
      [/\.block\.3\./, '.mlp.fc1.'],
      [/\.block\.5\./, '.mlp.fc2.'],
      [/\.layer_scale$/, '.gamma'],
      [/^classifier\.0\./, 'head.norm.'],
      [/^classifier\.2\./, 'head.fc.'],
    ],
  },
  { library: 'timm', family: 'efficientnet', rules: () => [] },
  {
    library: 'efficientnet-pytorch',
    family: 'efficientnet',
    rules: (known) => {
      const blocks = [...new Set([...known].flatMap((name) => /^blocks\.\d+\.\d+/.exec(name)?.[0] ?? []))]
      // The first block has no expansion; timm numbers a block's layers from the first it has.
      const expands = (block: string): boolean => known.has(`${block}.conv_pwl.weight`)
      return [
        [/^_conv_(stem|head)\./, 'conv_$1.'],
        [/^_bn0\./, 'bn1.'],
        [/^_bn1\./, 'bn2.'],
        [/^_fc\./, 'classifier.'],
        [/^_blocks\.(\d+)\./, (whole, number = '') => (blocks[Number(number)] ? `${blocks[Number(number)]}.` : whole)],
        [/\._expand_conv\./, '.conv_pw.'],
        [/\._depthwise_conv\./, '.conv_dw.'],
        [/^(.*)\._project_conv\./, (_, block = '') => `${block}.${expands(block) ? 'conv_pwl' : 'conv_pw'}.`],
        [
          /^(.*)\._bn(\d)\./,
          (_, block = '', number = '') => `${block}.bn${Number(number) + (expands(block) ? 1 : 0)}.`,
        ],
      ]
    },
  },
]

/**
 * From the names of a file to timm's, under the scheme by which most of them are `known` parameters. The names stay as
 * they are when none is under any.
 */
export function translatorOf(names: Iterable<string>, known: ReadonlySet<string>): (name: string) => string {
  const all = [...names]
  const scored = namingSchemes.map((scheme) => {
    const rules = scheme.rules(known)
    const translate = (name: string): string => toTimmName(name, rules)
    return { translate, hits: all.filter((name) => known.has(translate(name))).length }
  })
  return scored.reduce((a, b) => (b.hits > a.hits ? b : a)).translate
}

function toTimmName(name: string, rules: readonly Rule[]): string {
  return rules.reduce(
    (current, [pattern, replacement]) =>
      typeof replacement === 'string' ? current.replace(pattern, replacement) : current.replace(pattern, replacement),
    name,
  )
}
