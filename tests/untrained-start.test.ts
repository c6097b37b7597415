import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Random } from '@flowers/shared/random'
import { readSafetensorsHeader } from '@flowers/trainer/model/weights/safetensors'
import sharp from 'sharp'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { runTrainer } from './trainer-process.ts'

/** Mean colours, far apart; a single class validates, so that a network that always answers it is right about all. */
const colours = { rose: [200, 40, 60], tulip: [230, 200, 40], violet: [90, 50, 170] } as const
const [trained, validated] = [{ rose: 20, tulip: 20, violet: 10 }, 'violet'] as const
let folder: string

/** A JPEG of soft spots about a colour. */
function photo(colour: readonly number[], seed: number): Promise<Buffer> {
  const random = new Random(seed, 'scene')
  const side = 8
  const data = Uint8Array.from({ length: side * side * 3 }, (_, place) =>
    Math.min(255, Math.max(0, colour[place % 3]! + random.integer(80) - 40)),
  )
  return sharp(data, { raw: { width: side, height: side, channels: 3 } })
    .resize(96, 80, { fit: 'fill', kernel: 'cubic' })
    .jpeg()
    .toBuffer()
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'flowers-untrained-'))
  let seed = 0
  const draw = async (split: string, name: keyof typeof colours, count: number) => {
    await mkdir(join(folder, 'photos', split, name), { recursive: true })
    for (let index = 0; index < count; index++)
      await writeFile(join(folder, 'photos', split, name, `${index}.jpg`), await photo(colours[name], seed++))
  }
  for (const name of ['rose', 'tulip', 'violet'] as const) await draw('train', name, trained[name])
  await draw('valid', validated, 10)
})

afterAll(() => rm(folder, { recursive: true }))

const settings = [
  'phases.head.epochs=0',
  'phases.fixres.epochs=0',
  'phases.full.batch=8',
  'phases.full.size=32',
  'phases.full.epochs=15',
  'model.architecture=convnext_test',
  'seed=3',
].flatMap((setting) => ['--set', setting])

it('exports what was trained, where the random network was right about every validation photo', async () => {
  const { code, output } = await runTrainer(
    ['train', '--recipe', 'demo', '--data', 'photos', '--out', 'run', ...settings],
    folder,
  )
  expect(code).toBe(0)
  expect(output).toContain('starts at 100.0 % on the validation photos by chance')
  const { metadata } = await readSafetensorsHeader(join(folder, 'run', 'checkpoints', 'best.safetensors'))
  expect(Number(metadata['epoch'])).toBeGreaterThanOrEqual(0)

  const exported = await runTrainer(['export', '--run', 'run', '--data', 'photos', '--out', 'model/1'], folder)
  expect(exported.code).toBe(0)
  const predict = ['predict', '--model', 'model/1', '--input', join('photos', 'train'), '--out', 'answers.csv']
  expect((await runTrainer(predict, folder)).code).toBe(0)
  const [, ...rows] = (await readFile(join(folder, 'answers.csv'), 'utf8')).trim().split(/\r?\n/)
  const right = rows.map((row) => row.split(',')).filter(([path, label]) => path!.startsWith(`${label!}/`))
  expect(rows).toHaveLength(50)
  expect(right.length).toBeGreaterThanOrEqual(45)
})
