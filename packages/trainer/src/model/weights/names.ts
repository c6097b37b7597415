/** How one library names the parameters of one family. Which one a file follows is detected from its names. */
interface NamingScheme {
  readonly library: 'timm' | 'huggingface' | 'torchvision'
  readonly family: string
  /** Applied in order; a name that no rule touches stays, and is reported as unexpected if no parameter has it. */
  readonly rules: readonly (readonly [RegExp, string | ((...groups: string[]) => string)])[]
}

const namingSchemes: readonly NamingScheme[] = [
  { library: 'timm', family: 'convnext', rules: [] },
  {
    library: 'huggingface',
    family: 'convnext',
    rules: [
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
    rules: [
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
]

/** The scheme under which most of a file's names are `known` parameters; undefined when none is under any. */
export function detectScheme(names: Iterable<string>, known: ReadonlySet<string>): NamingScheme | undefined {
  const all = [...names]
  const scored = namingSchemes.map((scheme) => ({
    scheme,
    hits: all.filter((name) => known.has(toTimmName(name, scheme))).length,
  }))
  const best = scored.reduce((a, b) => (b.hits > a.hits ? b : a))
  return best.hits > 0 ? best.scheme : undefined
}

/** A library's name of a parameter as timm's. */
export function toTimmName(name: string, { rules }: NamingScheme): string {
  return rules.reduce(
    (current, [pattern, replacement]) =>
      typeof replacement === 'string' ? current.replace(pattern, replacement) : current.replace(pattern, replacement),
    name,
  )
}
