import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { FlowersError } from '@flowers/shared/errors'
import { z } from 'zod'
import { frozenNames } from './freeze-model.ts'

/** The newest opset that tf2onnx writes; the fusing script goes on from there. */
const converterOpset = 18

const fusedSchema = z.object({ operators: z.record(z.string(), z.int()), opset: z.int() })

/** What a converted graph is made of: operator to number of nodes, and the ONNX opset. */
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
 * free, and the borders named `pixel_values` [batch, 3, size, size] and `logits` [batch, classes].
 * Throws EXPORT_CONVERTER with the last lines of the program that failed.
 */
export async function convertToOnnx({ graphDef, folder, target, python }: ConvertOptions): Promise<Fused> {
  const frozen = join(folder, 'frozen.pb')
  const converted = join(folder, 'converted.onnx')
  await writeFile(frozen, graphDef)
  await runPython(python, [
    ...['-m', 'tf2onnx.convert', '--graphdef', frozen, '--output', converted, '--opset', String(converterOpset)],
    ...['--inputs', `${frozenNames.input}:0`, '--outputs', `${frozenNames.output}:0`],
    ...['--inputs-as-nchw', `${frozenNames.input}:0`],
  ])
  const report = await runPython(python, [fuseScript(), converted, target])
  return fusedSchema.parse(JSON.parse(report))
}

function fuseScript(): string {
  let folder = dirname(fileURLToPath(import.meta.url))
  while (!existsSync(join(folder, 'python', 'fuse_onnx.py'))) {
    if (dirname(folder) === folder) throw new FlowersError('INTERNAL', 'python/fuse_onnx.py is missing from the package')
    folder = dirname(folder)
  }
  return join(folder, 'python', 'fuse_onnx.py')
}

const shownLines = 15

/** Runs Python and returns what it printed. */
async function runPython(python: string, parameters: readonly string[]): Promise<string> {
  // The converter runs small pieces of the graph to fold constants; it needs no GPU, and no lines about having none.
  const env = { ...process.env, CUDA_VISIBLE_DEVICES: '-1', TF_CPP_MIN_LOG_LEVEL: '3', PYTHONDONTWRITEBYTECODE: '1' }
  const child = spawn(python, parameters, { env, stdio: ['ignore', 'pipe', 'pipe'] })
  const output = { stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output.stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output.stderr += text))
  const ended = await new Promise<string>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => resolve(signal ?? String(code)))
  })
  if (ended === '0') return output.stdout
  const tail = `${output.stdout}${output.stderr}`.trimEnd().split('\n').slice(-shownLines).join('\n')
  throw new FlowersError('EXPORT_CONVERTER', `${parameters.slice(0, 2).join(' ')} ended with ${ended}:\n${tail}`)
}
