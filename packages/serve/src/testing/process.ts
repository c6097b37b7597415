import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { builtModule } from '@flowers/shared/built-module'
import { testModels, until } from './service.ts'

export interface ServiceProcess {
  readonly pid: number
  readonly url: string
  /** What it has logged so far. */
  log(): string
  signal(name: NodeJS.Signals): void
  /** Ends it by SIGTERM; gives its exit code. */
  stop(): Promise<number | null>
}

/** The built program as a process of its own, ready to answer. */
export async function startProcess(environment: Record<string, string> = {}): Promise<ServiceProcess> {
  const program = fileURLToPath(builtModule(import.meta.url, '../main.ts'))
  const child = spawn(process.execPath, [program], {
    env: { PATH: process.env['PATH'], MODELS_DIR: testModels, PORT: '0', ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (output += chunk))
  const exit = new Promise<number | null>((resolve) => child.once('exit', resolve))
  await until(() => output.includes('"ready: ') || child.exitCode !== null)
  const [url] = /http:\/\/[\d.:]+/.exec(output.slice(output.indexOf('"ready: '))) ?? []
  if (url === undefined || child.pid === undefined) throw new Error(`The service did not start: ${output}`)
  return {
    pid: child.pid,
    url,
    log: () => output,
    signal: (name) => void child.kill(name),
    stop: () => {
      child.kill('SIGTERM')
      return exit
    },
  }
}
