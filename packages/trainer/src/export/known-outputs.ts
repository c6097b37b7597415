import { z } from 'zod'
import type { Rejector } from '../measure/rejector.ts'
import { transposed } from '../measure/matrix.ts'
import { writeSafetensors } from '../model/weights/safetensors.ts'
import { packageFile } from '../python/package-file.ts'
import { runPython } from '../python/python-program.ts'

const program = (): string => packageFile('python/known.py')

const featuresSchema = z.object({ features: z.int().nullable() })

/**
 * Writes a copy of an ONNX file that also hands out the features that its last linear layer makes the logits of. False, and
 * there is no copy, where it does not end in such a layer. Throws EXPORT_CONVERTER.
 */
export async function writeWithFeatures(source: string, target: string, python: string): Promise<boolean> {
  const report = await runPython(python, [program(), 'features', source, target], 'EXPORT_CONVERTER')
  return featuresSchema.parse(JSON.parse(report)).features !== null
}

/** What the added outputs compute. */
export interface KnownOutputs {
  /** Of answers from one view; 1 where none was fitted. */
  readonly temperature: number
  /** Null: the file gets no output `known`. */
  readonly rejector: Rejector | null
}

/**
 * Writes a copy of an ONNX file with the outputs `probabilities` and, where a rejector was fitted, `known`, in place of those it
 * may have (python/known.py). Throws EXPORT_CONVERTER.
 */
export async function writeWithKnown(
  source: string,
  target: string,
  { temperature, rejector, python }: KnownOutputs & { readonly python: string },
): Promise<void> {
  const fitted = `${target}.fitted`
  const tensors = { temperature: tensor([1], [temperature]), ...(rejector && tensorsOf(rejector)) }
  await writeSafetensors(fitted, new Map(Object.entries(tensors)), rejector ? { form: rejector.form } : {})
  await runPython(python, [program(), 'write', source, target, fitted], 'EXPORT_CONVERTER')
}

interface Tensor {
  readonly shape: readonly number[]
  readonly data: Float32Array
}

const tensor = (shape: readonly number[], values: ArrayLike<number>): Tensor => ({
  shape,
  data: Float32Array.from(values),
})

function tensorsOf(rejector: Rejector): Record<string, Tensor> {
  const scale = { shift: tensor([1], [rejector.shift]), logit_weight: tensor([1], [rejector.logitWeight]) }
  if (rejector.form === 'trained') return { ...scale, weights: tensor([rejector.weights.length], rejector.weights) }
  const { directions, prototypes, perClass, neighbour, cosineWeight } = rejector
  const { rows: width, columns: features } = directions
  return {
    ...scale,
    directions: tensor([features, width], transposed(directions).values),
    prototypes: tensor([prototypes.rows / perClass, perClass, width], prototypes.values),
    cosine_weight: tensor([1], [cosineWeight]),
    neighbour: tensor([1], [neighbour]),
  }
}
