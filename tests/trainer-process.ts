import { spawn, type ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { reportFailure } from '@flowers/trainer/cli/failure'
import { buildProgram, withCommand } from '@flowers/trainer/cli/program'
import { vi } from 'vitest'

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

/** The same within this process, for command lines that end before TensorFlow is needed: without the start of a process. */
export async function trainerHere(args: readonly string[], folder: string): Promise<{ code: number; output: string }> {
  let output = ''
  const spies = [
    ...(['log', 'error'] as const).map((stream) =>
      vi.spyOn(console, stream).mockImplementation((line) => void (output += `${String(line)}\n`)),
    ),
    ...[process.stdout, process.stderr].map((stream) =>
      vi.spyOn(stream, 'write').mockImplementation((text) => {
        output += String(text)
        return true
      }),
    ),
  ]
  vi.stubEnv('INIT_CWD', folder)
  try {
    await buildProgram().parseAsync(withCommand(args), { from: 'user' })
    return { code: 0, output }
  } catch (error) {
    const code = reportFailure(error)
    return { code, output }
  } finally {
    for (const spy of spies) spy.mockRestore()
    vi.unstubAllEnvs()
  }
}

export const runTrainer = (...args: Parameters<typeof startTrainer>): Promise<Finished> =>
  startTrainer(...args).finished
