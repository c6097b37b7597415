import { spawn, spawnSync } from 'node:child_process'
import { chmod, mkdir, mkdtemp, readdir, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { solid } from '@flowers/serve/testing/pictures'
import { until } from '@flowers/serve/testing/service'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { drawSmallData, smallRun } from './interrupted-run.ts'

const path = (name: string): string => fileURLToPath(new URL(`../${name}`, import.meta.url))
const missing = ['bwrap', 'tini'].filter((program) => spawnSync(program, ['--version']).error !== undefined)
if (missing.length > 0)
  console.log(`skipped: there is no ${missing.join(', no ')} (Debian: apt install bubblewrap tini libjemalloc2)`)

let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'flowers-image-'))
  await chmod(folder, 0o755)
})

afterAll(async () => {
  await rm(folder, { recursive: true })
})

/** Makes what goes into an image; gives what the script said. */
const make = (script: string, ...args: string[]): string => {
  const { status, stderr } = spawnSync(process.execPath, [path(`deploy/image/${script}`), ...args], {
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(stderr)
  return stderr
}

/** Starts a sandbox; `onOutput` sees all that it has printed. */
function start(args: string[], onOutput: (all: string, stop: () => void) => void = () => {}) {
  const child = spawn(process.execPath, [path('deploy/image/sandbox.mjs'), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const stop = (): void => void child.kill('SIGTERM')
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString()
      onOutput(output, stop)
    })
  const ended = new Promise<{ code: number | null; output: string }>((resolve) => {
    child.once('close', (code) => {
      resolve({ code, output })
    })
  })
  return { stop, ended }
}

describe.skipIf(missing.length > 0)('the image of the service', () => {
  const port = '39017'
  const sandbox = (...args: string[]) => start([join(folder, 'root'), '--env', `PORT=${port}`, ...args])

  it('is small and has only the binaries of its platform', async () => {
    // As in a fresh checkout, where nothing is built.
    await rm(path('packages/page/dist'), { recursive: true, force: true })
    const sizes = make('root.mjs', join(folder, 'root'))
    console.log(sizes.slice(sizes.indexOf('usr/local/bin')))
    expect(Number(/^all +([\d.]+) MB$/m.exec(sizes)![1])).toBeLessThan(260)
    const files = await readdir(join(folder, 'root'), { recursive: true })
    const elsewhere = /\.(dll|dylib)$|(musl|win32|darwin).*\.(node|so)\b|\.test\.|\.d\.ts$/
    expect(files.filter((name) => elsewhere.test(name))).toEqual([])
    expect(files.filter((name) => /(^|\/)(sh|bash|apt|npm|curl)$/.test(name))).toEqual([])
  })

  it('runs as a user without rights in a file system that it cannot write', async () => {
    const script = `
      const { writeFileSync } = require('node:fs')
      writeFileSync('/tmp/scratch', '')
      for (const file of ['/app/file', '/models/file', '/file']) {
        try { writeFileSync(file, '') } catch (error) { if (error.code === 'EROFS') continue }
        process.exit(3)
      }
      process.exit(process.getuid() === 10001 && process.getgid() === 10001 ? 0 : 4)`
    expect(await sandbox('--', '/usr/local/bin/node', '-e', script).ended).toEqual({ code: 0, output: '' })
  })

  it('answers, says that it is healthy, and ends at SIGTERM', async () => {
    expect((await sandbox('--health').ended).code).toBe(1)
    const service = sandbox()
    const url = `http://127.0.0.1:${port}`
    await until(async () => (await fetch(`${url}/readyz`).catch(() => null))?.ok ?? false)
    expect((await sandbox('--health').ended).code).toBe(0)
    const page = await (await fetch(url, { headers: { accept: 'text/html' } })).text()
    expect(page).toMatch(/<script[^>]+src="\/page\/main-/)
    for (const format of ['jpeg', 'png', 'webp'] as const) {
      const body = new Uint8Array(await solid('#ff0000', format, 500))
      const response = await fetch(`${url}/classify`, { method: 'POST', body })
      expect(await response.json()).toMatchObject({ predictions: expect.any(Array) })
    }
    service.stop()
    const { code, output } = await service.ended
    expect(output).toContain('"msg":"stopped"')
    expect(code).toBe(0)
  })
})

describe.skipIf(missing.length > 0)('the image of the trainer', () => {
  it('saves at SIGTERM and goes on by the same command, in a folder that is mounted', async () => {
    const app = join(folder, 'trainer')
    make('app.mjs', 'trainer', app)
    const library = await realpath(join(app, 'node_modules/@flowers/tensorflow'))
    await mkdir(join(library, '.venv'))
    const photos = await drawSmallData(folder)
    const runs = join(folder, 'runs')
    await mkdir(runs)
    await chmod(runs, 0o777)
    const mounts = [
      `${app}:/tmp/app`,
      `${path('packages/tensorflow/.venv')}:/tmp/app/${relative(app, library)}/.venv`,
      `${photos}:/tmp/photos`,
      `${runs}:/tmp/runs:rw`,
    ]
    const command = [process.execPath, '/tmp/app/dist/cli/main.js', 'train', '--data', '/tmp/photos']
    const args = [
      '/',
      '--file',
      path('deploy/image/trainer.Dockerfile'),
      ...mounts.flatMap((mount) => ['--mount', mount]),
      '--',
      ...command,
      '--out',
      '/tmp/runs/small',
      '--resume-if-present',
      ...smallRun,
    ]
    let asked = false
    const first = await start(args, (all, stop) => {
      if (asked || !all.includes('full: 32 px')) return
      asked = true
      stop()
    }).ended
    expect(first.output).toContain('saved; go on with')
    expect(first.code).toBe(143)
    const second = await start(args).ended
    expect(second.output).toMatch(/done: /)
    expect(second.output).not.toContain('head: 32 px')
    expect(second.code).toBe(0)
  })
})
