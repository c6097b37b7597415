import { spawnChild } from '@flowers/tensorflow/child'
import { TrainerError, type TrainerErrorCode } from '../errors.ts'

const shownLines = 15

/** Runs Python and returns what it printed. Throws the error `failure` with its last lines when it fails. */
export async function runPython(
  python: string,
  parameters: readonly string[],
  failure: TrainerErrorCode,
): Promise<string> {
  // tf2onnx runs small pieces of the graph to fold constants; it needs no GPU, and no lines about having none.
  const env = { ...process.env, CUDA_VISIBLE_DEVICES: '-1', TF_CPP_MIN_LOG_LEVEL: '3', PYTHONDONTWRITEBYTECODE: '1' }
  const child = spawnChild(python, parameters, env)
  const output = { stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output.stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output.stderr += text))
  const ended = await new Promise<string>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => resolve(signal ?? String(code)))
  })
  if (ended === '0') return output.stdout
  const tail = `${output.stdout}${output.stderr}`.trimEnd().split('\n').slice(-shownLines).join('\n')
  throw new TrainerError(failure, `${parameters.slice(0, 2).join(' ')} ended with ${ended}:\n${tail}`)
}
