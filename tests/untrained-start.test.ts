import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { drawFlower, drawnSpecies } from '@flowers/trainer/drawn/drawn-flowers'
import { readSafetensorsHeader } from '@flowers/trainer/model/weights/safetensors'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { runTrainer } from './trainer-process.ts'

const [first, second, third] = drawnSpecies as [string, string, string]
const train = { [first]: 20, [second]: 20, [third]: 10 }
let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'flowers-untrained-'))
  const draw = async (split: string, species: string, count: number, from: number) => {
    for (let index = 0; index < count; index++) {
      const path = join(folder, 'photos', split, species, `${index}.jpg`)
      await mkdir(dirname(path), { recursive: true })
      await writeFile(path, await drawFlower({ species, size: 64, seed: 7, index: from + index }))
    }
  }
  for (const [species, count] of Object.entries(train)) await draw('train', species, count, 0)
  // A single class validates: a network that always answers it is right about all.
  await draw('valid', third, 10, 100)
})

afterAll(() => rm(folder, { recursive: true }))

const settings = [
  'phases.head.epochs=0',
  'phases.fixres.epochs=0',
  'phases.full.batch=8',
  'phases.full.size=32',
  'phases.full.epochs=15',
].flatMap((setting) => ['--set', setting])

it('exports what was trained, where the random network was right about every validation photo', async () => {
  const trained = await runTrainer(['train', '--data', 'photos', '--out', 'run', ...settings], folder)
  expect(trained.code).toBe(0)
  expect(trained.output).toContain('starts at 100.0 % on the validation photos by chance')
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
