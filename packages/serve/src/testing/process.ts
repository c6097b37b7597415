import { spawn } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { builtModule } from '@flowers/shared/built-module'
import { patient, testModels, until } from './service.ts'

/** What `npm start` serves. */
export const shippedModels = fileURLToPath(new URL('../../../../models', import.meta.url))

/** The variable of glibc that `npm start` sets (mallopt(3)): freed blocks of this size and above go back to the system. */
export const allocator = { MALLOC_MMAP_THRESHOLD_: '131072' } as const

export interface ServiceProcess {
  readonly pid: number
  readonly url: string
  readonly signal: (name: NodeJS.Signals) => void
  /** What it has logged so far, a line of JSON each. */
  readonly log: () => string
  /** The value of a series of /metrics, as `name{label="value"}`; 0 when it is not there. */
  readonly metric: (series: string) => Promise<number>
  /** Bytes of memory that it has now. Linux only. */
  readonly resident: () => Promise<number>
  /** Its threads, by name. Linux only. */
  readonly threads: () => Promise<readonly string[]>
  /** Resolves with its exit code once it has ended; null: by a signal. */
  readonly ended: Promise<number | null>
  /** Ends it by SIGTERM; gives its exit code. */
  readonly stop: () => Promise<number | null>
}

/** The built program, to be started as a process of its own. */
export const serviceProgram = fileURLToPath(builtModule(import.meta.url, '../main.ts'))

/** The built program as a process of its own, ready to answer. `before` is what starts it in place of this Node. */
export async function startProcess(
  environment: Record<string, string> = {},
  before: readonly string[] = [],
): Promise<ServiceProcess> {
  const [command, ...args] = [...before, process.execPath, serviceProgram]
  const child = spawn(command, args, {
    env: { PATH: process.env['PATH'], MODELS_DIR: testModels, PORT: '0', ...patient, ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (output += chunk))
  const exit = new Promise<number | null>((resolve) => child.once('exit', resolve))
  await until(() => output.includes('"ready: ') || child.exitCode !== null)
  const [url] = /http:\/\/[\d.:]+/.exec(output.slice(output.indexOf('"ready: '))) ?? []
  if (url === undefined || child.pid === undefined) throw new Error(`The service did not start: ${output}`)
  const { pid } = child
  return {
    pid,
    url,
    signal: (name) => void child.kill(name),
    log: () => output,
    metric: async (series) => {
      const lines = (await (await fetch(`${url}/metrics`)).text()).split('\n')
      return Number(lines.find((line) => line.startsWith(`${series} `))?.slice(series.length + 1) ?? 0)
    },
    resident: async () =>
      1024 * Number(/^VmRSS:\s+(\d+) kB$/m.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1] ?? Number.NaN),
    threads: () => threadsOf(pid),
    ended: exit,
    stop: () => {
      child.kill('SIGTERM')
      return exit
    },
  }
}

/** Names of the threads of a process. Linux only. */
export async function threadsOf(pid: number): Promise<readonly string[]> {
  const ids = await readdir(`/proc/${pid}/task`)
  // One may have ended since.
  const names = ids.map((id) => readFile(`/proc/${pid}/task/${id}/comm`, 'utf8').catch(() => null))
  return (await Promise.all(names)).filter((name) => name !== null).map((name) => name.trim())
}
