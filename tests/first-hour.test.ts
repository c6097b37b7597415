import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { openModel } from '@flowers/shared/model/package'
import { startService } from '@flowers/serve/testing/service'
import { drawFlowers } from '@flowers/trainer/drawn/drawn-flowers'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runTrainer, startTrainer } from './trainer-process.ts'

const labels = ['daisy', 'lavender', 'poppy', 'rose', 'tulip']
/** As a person types them: an apostrophe and spaces. */
const data = "Ada's photos"
/** The recipe that the one line has, with a small network, on small pictures, without weights that are fetched. */
const small = [
  'model.weights=null',
  'model.architecture=convnext_test',
  ...['head', 'full', 'fixres'].flatMap((phase, place) => [
    `phases.${phase}.size=32`,
    `phases.${phase}.epochs=${place < 2 ? 1 : 0}`,
  ]),
].flatMap((setting) => ['--set', setting])
const line = ['--data', data, '--name', 'mine', '--minutes', '0.2', ...small]

let folder: string
const at = (...path: string[]): string => join(folder, ...path)

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'flowers-first-hour-'))
  await drawFlowers(at('drawn'), { species: 12, train: 8, valid: 0, size: 48, seed: 6 })
  await mkdir(at(data, 'empty class'), { recursive: true })
  const drawn = (await readdir(at('drawn', 'train'))).toSorted()
  for (const [place, label] of labels.entries()) await rename(at('drawn', 'train', drawn[place]!), at(data, label))
  await cp(at('drawn', 'train', drawn[5]!), at('iris'), { recursive: true })
  const whole = await readFile(at(data, 'rose', (await readdir(at(data, 'rose')))[0]!))
  const broken: Record<string, string | Buffer> = {
    'daisy/empty.jpg': '',
    'daisy/cut.jpg': whole.subarray(0, whole.length / 2),
    'rose/text.jpg': 'this is no picture',
    'rose/phone.heic': Buffer.from('\0\0\0\x18ftypheic\0\0\0\0mif1heic', 'latin1'),
    'tulip/tiny.png': await sharp({ create: { width: 1, height: 1, channels: 3, background: '#f00' } })
      .png()
      .toBuffer(),
    'tulip/notes.txt': 'seen in May',
    'tulip/.DS_Store': 'Bud1',
    'read me.txt': 'my photos',
  }
  for (const [path, content] of Object.entries(broken)) await writeFile(at(data, path), content)
})

afterAll(async () => {
  await rm(folder, { recursive: true, force: true })
})

describe('a folder of messy photos', () => {
  it('becomes a model by one line, also where it is interrupted and goes on by the line that is printed', async () => {
    const { process: child, finished } = startTrainer(line, folder)
    child.stdout?.on('data', (chunk: Buffer) => {
      if (!child.killed && chunk.toString().includes('everything is kept in')) child.kill('SIGINT')
    })
    const stopped = await finished
    expect(stopped.code).toBe(130)
    const [, goOn] = /^saved; go on with: (.*)$/m.exec(stopped.output) ?? []
    const { stdout } = await promisify(execFile)('bash', ['-c', goOn!], {
      cwd: folder,
      env: { ...process.env, INIT_CWD: folder },
    })
    expect(stdout).toMatch(
      /^model: models\/mine\/1; serve it with: npm --prefix \S+ start -- --models-dir \S+ --model mine$/m,
    )
    expect(stdout).toMatch(/^of the \d+ photos kept for checking it names /m)
    expect(stdout).toMatch(/left out; what is wrong with them: .* data audit --data 'Ada'\\''s photos'$/m)
    const { manifest } = await openModel(at('models', 'mine', '1'))
    expect(manifest).toMatchObject({ name: 'mine', version: 1, labels, recipe: { name: 'quick' } })
  }, 300_000)

  it('becomes the next version by the same line, and that is served', async () => {
    const { code, output } = await runTrainer(line, folder)
    expect(output).toContain('model: models/mine/2;')
    expect(output).not.toMatch(/^\s+at /m)
    expect(code).toBe(0)
    const service = await startService({ MODELS_DIR: at('models'), MODEL: 'mine' })
    try {
      const photo = (await readdir(at(data, 'rose'))).find((name) => name.endsWith('.jpg'))
      const body = new Uint8Array(await readFile(at(data, 'rose', photo!)))
      const answer = await fetch(`${service.url}/classify`, { method: 'POST', body })
      expect(await answer.json()).toMatchObject({ model: { name: 'mine', version: 2 } })
    } finally {
      await service.close()
    }
  }, 300_000)

  it('begins with what the last version knows, with a further class', async () => {
    await cp(at('iris'), at(data, 'iris'), { recursive: true })
    const sizes = small.slice(4)
    const { code, output } = await runTrainer(['--data', data, '--from', 'mine', '--minutes', '0.2', ...sizes], folder)
    expect(output).toContain('convnext_test, 6 classes')
    expect(output).toContain('it knows 5 of the 6 classes already')
    expect(output).toMatch(
      /^next: node \S+ export --run runs\/quick-\S+ --data 'Ada'\\''s photos' --name ada-s-photos$/m,
    )
    expect(code).toBe(0)
  }, 300_000)
})
