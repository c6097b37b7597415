import type { Model, ParameterSpec } from '../architecture.ts'
import { isClassifier } from '../head.ts'
import { pytorchShape, toPytorchLayout, toTensorflowLayout } from './layout.ts'
import { translatorOf } from './names.ts'
import type { TensorData } from './safetensors.ts'
import { TrainerError } from '../../errors.ts'

interface FileTensor {
  readonly shape: readonly number[]
  readonly data: TensorData
}

interface MapWeightsOptions {
  /**
   * `load`: every parameter comes from the file. `skip`: the layers that are specific to a set of classes do not, and
   * the file's own, of whatever shape, are passed over; the normalisation before them is taken if the file has it.
   */
  readonly head: 'skip' | 'load'
}

/**
 * A file's tensors as values of the model's parameters, in TensorFlow's layout, from timm's, Hugging Face's
 * (`ConvNextForImageClassification`), torchvision's or `efficientnet-lite-pytorch`'s names. Every tensor of the file and every parameter of the model
 * is accounted for; otherwise throws MODEL_WEIGHTS_MISMATCH listing what is missing, unexpected or of another shape.
 */
export function mapWeights(
  model: Pick<Model, 'architecture' | 'parameters'>,
  tensors: ReadonlyMap<string, FileTensor>,
  { head }: MapWeightsOptions,
): Map<string, Float32Array> {
  const problems = new Problems()
  const available = translate(model, tensors, problems)
  const values = new Map<string, Float32Array>()
  for (const spec of model.parameters) {
    const tensor = available.get(spec.name)
    available.delete(spec.name)
    if (head === 'skip' && isClassifier(spec.name)) continue
    if (!tensor) {
      if (head === 'load' || spec.group === 'backbone') problems.missing.push(spec.name)
    } else if (!(tensor.data instanceof Float32Array)) {
      problems.misshapen.push(`${spec.name} is not of floating point`)
    } else if (sameShape(tensor.shape, spec)) {
      values.set(spec.name, toTensorflowLayout(spec, tensor.data))
    } else {
      problems.misshapen.push(
        `${spec.name} is [${tensor.shape.join(', ')}] instead of [${pytorchShape(spec).join(', ')}]`,
      )
    }
  }
  for (const name of available.keys()) {
    if (head === 'load' || !isClassifier(name)) problems.unexpected.push(name)
  }
  problems.throwIfAny(model.architecture)
  return values
}

/** The model's values under timm's names, shapes and layouts: what `writeSafetensors` takes and timm reads. */
export function toTimmTensors(
  model: Pick<Model, 'parameters'>,
  values: ReadonlyMap<string, Float32Array>,
): Map<string, { shape: number[]; data: Float32Array }> {
  return new Map(
    model.parameters.map((spec) => {
      const value = values.get(spec.name)
      if (!value) throw new RangeError(`no value of ${spec.name}`)
      return [spec.name, toPytorchLayout(spec, value)]
    }),
  )
}

class Problems {
  readonly missing: string[] = []
  readonly unexpected: string[] = []
  readonly misshapen: string[] = []

  throwIfAny(architecture: string): void {
    const parts = [
      list('missing', this.missing),
      list('unexpected', this.unexpected),
      list('of another kind or shape', this.misshapen),
    ].filter((part) => part !== '')
    if (parts.length === 0) return
    throw new TrainerError('MODEL_WEIGHTS_MISMATCH', `the weights do not fit ${architecture}: ${parts.join('; ')}`)
  }
}

const mostListed = 40

function list(title: string, items: readonly string[]): string {
  if (items.length === 0) return ''
  const more = items.length > mostListed ? ` and ${items.length - mostListed} more` : ''
  return `${title} (${items.length}): ${items.slice(0, mostListed).join(', ')}${more}`
}

function translate(
  model: Pick<Model, 'parameters'>,
  tensors: ReadonlyMap<string, FileTensor>,
  problems: Problems,
): Map<string, FileTensor> {
  const toTimmName = translatorOf(tensors.keys(), new Set(model.parameters.map(({ name }) => name)))
  const translated = new Map<string, FileTensor>()
  for (const [name, tensor] of tensors) {
    // PyTorch counts the batches that a batch normalisation has seen; no computation reads it.
    if (name.endsWith('.num_batches_tracked')) continue
    const timmName = toTimmName(name)
    if (translated.has(timmName)) problems.unexpected.push(`${name} (a second ${timmName})`)
    else translated.set(timmName, tensor)
  }
  return translated
}

/**
 * Libraries differ in axes of length 1 only: a linear layer may be stored as a 1x1 convolution, and torchvision's
 * LayerScale is [C, 1, 1].
 */
function sameShape(shape: readonly number[], spec: ParameterSpec): boolean {
  const expected = pytorchShape(spec)
  const rank = Math.max(shape.length, expected.length)
  return Array.from({ length: rank }).every((_, axis) => (shape[axis] ?? 1) === (expected[axis] ?? 1))
}
