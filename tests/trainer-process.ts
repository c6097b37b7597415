import { spawn, type ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const entry = fileURLToPath(new URL('../packages/trainer/dist/cli/main.js', import.meta.url))

export interface Finished {
  /** Null when a signal ended the process. */
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly output: string
}

/**
 * Starts the built trainer with these arguments in a folder, as the last words of the command `under` if there is one;
 * `output` is what it printed on both streams.
 */
export function startTrainer(
  args: readonly string[],
  folder: string,
  variables: Readonly<Record<string, string>> = {},
  under: readonly string[] = [],
): { process: ChildProcess; finished: Promise<Finished> } {
  const [command, ...words] = [...under, process.execPath, entry, ...args]
  const child = spawn(command!, words, {
    cwd: folder,
    env: { ...process.env, INIT_CWD: folder, UV_THREADPOOL_SIZE: '8', ...variables },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()))
  const finished = new Promise<Finished>((resolve) => {
    child.once('close', (code, signal) => {
      resolve({ code, signal, output })
    })
  })
  return { process: child, finished }
}

export const runTrainer = (...args: Parameters<typeof startTrainer>): Promise<Finished> =>
  startTrainer(...args).finished
