import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { frozenNames } from './freeze-model.ts'
import { packageFile } from '../python/package-file.ts'
import { runPython } from '../python/python-program.ts'

/** The newest opset that tf2onnx writes; the fusing script goes on from there. */
const converterOpset = 18

const fusedSchema = z.object({ operators: z.record(z.string(), z.int()), opset: z.int(), classMaps: z.boolean() })

/**
 * What a converted graph is made of: operator to number of nodes on the way to the logits, the ONNX opset, and whether
 * it also has the output `class_maps`.
 */
export type Fused = z.infer<typeof fusedSchema>

export interface ConvertOptions {
  /** Serialised GraphDef with the names of `frozenNames`. */
  readonly graphDef: Uint8Array
  /** An empty folder for what comes in between; about three times the size of the network. */
  readonly folder: string
  /** The ONNX file to write. */
  readonly target: string
  /** Interpreter of the trainer's Python environment. */
  readonly python: string
}

/**
 * Frozen graph to ONNX by the tf2onnx command line, then normalisations and GELUs fused to single nodes, the batch made
 * free, and the borders named `pixel_values` [batch, 3, size, size] and `logits` [batch, classes]. A network that ends in
 * pooling and a linear head, with a hidden layer or without, also gets `class_maps` [batch, classes, height, width]
 * (python/class_maps.py).
 * Throws EXPORT_CONVERTER with the last lines of the program that failed.
 */
export async function convertToOnnx({ graphDef, folder, target, python }: ConvertOptions): Promise<Fused> {
  const frozen = join(folder, 'frozen.pb')
  const converted = join(folder, 'converted.onnx')
  await writeFile(frozen, graphDef)
  const borders = ['--inputs', `${frozenNames.input}:0`, '--outputs', `${frozenNames.output}:0`]
  const layout = ['--inputs-as-nchw', `${frozenNames.input}:0`]
  const files = ['--graphdef', frozen, '--output', converted]
  await runPython(
    python,
    ['-m', 'tf2onnx.convert', ...files, ...borders, ...layout, '--opset', String(converterOpset)],
    'EXPORT_CONVERTER',
  )
  const report = await runPython(python, [packageFile('python/fuse_onnx.py'), converted, target], 'EXPORT_CONVERTER')
  return fusedSchema.parse(JSON.parse(report))
}
