import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { connect, createServer, type AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { builtModule } from '@flowers/shared/built-module'
import { describe, expect, it } from 'vitest'
import { form, solid } from './testing/pictures.ts'
import { patient, testModels, until } from './testing/service.ts'

interface Run {
  readonly child: ChildProcess
  readonly output: { stdout: string; stderr: string }
  readonly exit: Promise<number | NodeJS.Signals | null>
}

/** The built program as a process of its own. */
function run(flags: string[], environment: Record<string, string> = {}): Run {
  const child = spawn(process.execPath, [fileURLToPath(builtModule(import.meta.url, './main.ts')), ...flags], {
    env: { PATH: process.env['PATH'], MODELS_DIR: testModels, PORT: '0', ...patient, ...environment },
  })
  const output = { stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (output.stdout += chunk))
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (output.stderr += chunk))
  const exit = new Promise<number | NodeJS.Signals | null>((resolve) =>
    child.on('close', (code, signal) => resolve(code ?? signal)),
  )
  return { child, output, exit }
}

/** Waits for the line that says the service is ready, and gives its address. */
async function ready({ child, output }: Run): Promise<string> {
  await until(() => output.stdout.includes('"ready: ') || child.exitCode !== null)
  return /http:\/\/[\d.:]+/.exec(output.stdout.slice(output.stdout.indexOf('"ready: ')))![0]
}

describe('main', () => {
  it('prints help', async () => {
    const { output, exit } = run(['--help'])
    expect(await exit).toBe(0)
    expect(output.stdout).toContain('--queue-limit')
    expect(output.stderr).toBe('')
  })

  it('answers wrong settings with one sentence and exit code 2', async () => {
    const { output, exit } = run([], { PORT: 'x' })
    expect(await exit).toBe(2)
    expect(output.stdout).toBe('')
    expect(output.stderr).toBe(
      'PORT must be an integer from 0 to 65535, not "x". Run the service with --help for the settings and their values.\n',
    )
  })

  it('answers a missing model and a port in use with a sentence and exit code 1', async () => {
    const taken = createServer()
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve))
    const port = String((taken.address() as AddressInfo).port)
    const runs = [run(['--model', 'oak', '--log-level', 'silent']), run(['--port', port, '--log-level', 'silent'])]
    expect(await Promise.all(runs.map(({ exit }) => exit))).toEqual([1, 1])
    taken.close()
    expect(runs[0]!.output.stderr).toMatch(/^There is no model "oak" in .*; there are: slow, tiny, wary\. .*\n$/)
    expect(runs[1]!.output.stderr).toMatch(new RegExp(`^127\\.0\\.0\\.1:${port}: .*EADDRINUSE.*\\n$`))
  })

  it('listens for the network with --lan, and says so beside the log', async () => {
    const service = run(['--lan', '--model', 'tiny'])
    await ready(service)
    await until(() => service.output.stderr !== '')
    service.child.kill('SIGTERM')
    expect(await service.exit).toBe(0)
    // Of a machine without a network there is no address.
    expect(service.output.stderr).toMatch(
      /^(from other devices in this network: http:|this machine is in no network).*\n$/,
    )
    expect(service.output.stdout).toContain('Server listening at')
  })

  it('answers every admitted request after SIGTERM and exits with 0', async () => {
    const service = run(['--model', 'slow', '--drain-delay-ms', '8000'])
    const url = await ready(service)
    const picture = await solid('#ff0000')
    const requests = Array.from({ length: 5 }, () =>
      fetch(`${url}/classify?tta=full`, { method: 'POST', body: form(picture) }),
    )
    const received = 'flowers_stage_duration_seconds_count{stage="receive"} 5\n'
    await until(async () => (await (await fetch(`${url}/metrics`)).text()).includes(received))
    service.child.kill('SIGTERM')
    await until(async () => (await fetch(`${url}/readyz`)).status === 503)
    // What arrives while load balancers have not yet seen that is answered too.
    const late = await fetch(`${url}/classify?tta=none`, { method: 'POST', body: form(picture) })
    expect(late.status).toBe(200)
    const responses = await Promise.all(requests)
    for (const response of responses) {
      expect(response.status).toBe(200)
      expect(await response.json()).toMatchObject({ set: ['red'], views: { used: 6 } })
    }
    expect(await service.exit).toBe(0)
    await expect(fetch(`${url}/livez`)).rejects.toThrow('fetch failed')
  })

  it('reloads its models on SIGHUP', async () => {
    const service = run([])
    const url = await ready(service)
    service.child.kill('SIGHUP')
    await until(async () =>
      (await (await fetch(`${url}/metrics`)).text()).includes(
        'flowers_model_reloads_total{model="tiny",result="done"} 1',
      ),
    )
    expect((await fetch(`${url}/classify`, { method: 'POST', body: form(await solid('#ff0000')) })).status).toBe(200)
    service.child.kill('SIGTERM')
    expect(await service.exit).toBe(0)
  })

  it('stops while it is still loading', async () => {
    const service = run([])
    await until(() => service.output.stdout.includes('Server listening'))
    service.child.kill('SIGTERM')
    expect(await service.exit).toBe(0)
  })

  it('logs the trace that a request belongs to, and no token', async () => {
    const service = run([], { FLOWERS_TOKEN: 'client-1' })
    const url = await ready(service)
    const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'
    const headers = { authorization: 'Bearer client-1' }
    await fetch(`${url}/v2`, { headers: { ...headers, traceparent: `00-${traceId}-00f067aa0ba902b7-01` } })
    await fetch(`${url}/v2`, { headers: { ...headers, traceparent: `00-${'0'.repeat(32)}-00f067aa0ba902b7-01` } })
    service.child.kill('SIGTERM')
    expect(await service.exit).toBe(0)
    const [first, second] = service.output.stdout
      .split('\n')
      .filter((line) => line.includes('"msg":"request"'))
      .map((line) => JSON.parse(line) as Record<string, unknown>)
    expect(first).toMatchObject({ traceId, parentId: '00f067aa0ba902b7', requestId: expect.any(String) })
    expect(second).toMatchObject({ url: '/v2' })
    expect(second).not.toHaveProperty('traceId')
    expect(service.output.stdout).not.toContain('client-1')
  })

  it('ends after SIGINT too, and is not held up by a connection without a request', async () => {
    const service = run([])
    const url = await ready(service)
    const socket = connect(Number(new URL(url).port), '127.0.0.1')
    await once(socket, 'connect')
    service.child.kill('SIGINT')
    expect(await service.exit).toBe(0)
    socket.destroy()
  })

  it('refuses what waits after the grace time and exits with 1', async () => {
    const service = run(['--model', 'slow', '--shutdown-grace-ms', '50'], {
      FLOWERS_WORKERS: '1',
      FLOWERS_IMAGES_LIMIT: '60',
    })
    const url = await ready(service)
    const pictures = Array<Buffer>(60).fill(await solid('#ff0000'))
    const request = fetch(`${url}/classify?tta=full`, { method: 'POST', body: form(...pictures) })
    await until(async () => /^flowers_workers_busy 1$/m.test(await (await fetch(`${url}/metrics`)).text()))
    service.child.kill('SIGTERM')
    const { results } = (await (await request).json()) as { results: { code?: string }[] }
    expect(results.filter(({ code }) => code === 'SERVICE_WORKER_LOST').length).toBeGreaterThan(0)
    expect(await service.exit).toBe(1)
  })
})
