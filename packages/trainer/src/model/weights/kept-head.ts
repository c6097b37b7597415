import { z } from 'zod'
import type { Model } from '../architecture.ts'
import { isClassifier } from '../head.ts'
import { toPytorchLayout, toTensorflowLayout } from './layout.ts'
import { readSafetensors, readSafetensorsHeader } from './safetensors.ts'

const labelsSchema = z
  .string()
  .transform((text, context) => {
    try {
      return JSON.parse(text) as unknown
    } catch {
      context.addIssue('not JSON')
      return z.NEVER
    }
  })
  .pipe(z.array(z.string()))

/** What the file of a model says of its head: the labels of its outputs, in order. */
export const labelMetadata = (labels: readonly string[]): Record<string, string> => ({ labels: JSON.stringify(labels) })

export interface KeptHead {
  /** Of the layers that are specific to classes, in TensorFlow's layout. */
  readonly values: ReadonlyMap<string, Float32Array>
  /** How many of the labels the file knew. */
  readonly known: number
}

/**
 * The head of a file that says which labels it is for (`labelMetadata`), for other labels: what it had learnt of those
 * that are the same, and the values of `fresh` for those that are new. Undefined where the file says nothing of labels,
 * or has a head of another form. Throws what reading the file throws.
 */
export async function keptHead(
  model: Pick<Model, 'parameters'>,
  file: string,
  labels: readonly string[],
  fresh: ReadonlyMap<string, Float32Array>,
): Promise<KeptHead | undefined> {
  const { metadata, entries } = await readSafetensorsHeader(file)
  const before = labelsSchema.safeParse(metadata['labels']).data
  const head = model.parameters.filter(({ name }) => isClassifier(name))
  if (before === undefined || !head.every(({ name }) => entries.has(name))) return undefined
  const tensors = await readSafetensors(file)
  const places = labels.map((label) => before.indexOf(label))
  const values = new Map<string, Float32Array>()
  for (const spec of head) {
    const { data, shape } = tensors.get(spec.name)!
    // In PyTorch's layout an output is a row.
    const ours = toPytorchLayout(spec, fresh.get(spec.name)!)
    const isOfClasses = !spec.name.startsWith('head.pre_logits.')
    const rows = isOfClasses ? before.length : ours.shape[0]
    if (!(data instanceof Float32Array) || String(shape) !== String([rows, ...ours.shape.slice(1)])) return undefined
    const width = data.length / rows!
    const sources = isOfClasses ? places : Array.from({ length: rows! }, (_, row) => row)
    for (const [row, source] of sources.entries())
      if (source >= 0) ours.data.set(data.subarray(source * width, (source + 1) * width), row * width)
    values.set(spec.name, toTensorflowLayout(spec, ours.data))
  }
  return { values, known: places.filter((place) => place >= 0).length }
}
