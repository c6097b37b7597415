import { createHash } from 'node:crypto'
import { chmod, cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { drawFlowers } from '@flowers/trainer/drawn/drawn-flowers'
import { readSafetensors, readSafetensorsHeader, writeSafetensors } from '@flowers/trainer/model/weights/safetensors'
import sharp from 'sharp'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { drawSmallData } from './interrupted-run.ts'
import { runTrainer, startTrainer } from './trainer-process.ts'

let folder: string
let data: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'flowers-failures-'))
  data = await drawSmallData(folder)
})

afterAll(async () => {
  await rm(folder, { recursive: true, force: true })
})

const set = (...settings: string[]): string[] => settings.flatMap((setting) => ['--set', setting])

/** An epoch of the head and two of the whole, six steps each. */
const shortRun = [
  '--recipe',
  'demo',
  ...set(
    'model.architecture=convnext_test',
    'phases.fixres.epochs=0',
    ...['head', 'full'].flatMap((phase) => [
      `phases.${phase}.epochs=${phase === 'head' ? 1 : 2}`,
      `phases.${phase}.size=32`,
      `phases.${phase}.batch=8`,
    ]),
  ),
]

/** Trains, and does something when a text was printed. */
async function trainUntil(args: readonly string[], text: string, then: () => Promise<void>, under?: readonly string[]) {
  const { process: child, finished } = startTrainer(['train', ...args], folder, {}, under)
  let seen = ''
  let done: Promise<void> | undefined
  child.stdout?.on('data', (chunk: Buffer) => {
    seen += chunk.toString()
    if (seen.includes(text)) done ??= then()
  })
  const result = await finished
  await done
  return result
}

/** The last good checkpoint can be read, is of numbers, and nothing half-written lies beside it. */
async function expectIntact(run: string): Promise<void> {
  const checkpoints = join(folder, run, 'checkpoints')
  for (const name of ['best.safetensors', 'last.state.safetensors']) {
    const tensors = await readSafetensors(join(checkpoints, name))
    expect(tensors.size).toBeGreaterThan(0)
    for (const [tensor, { data }] of tensors)
      expect((data as Float32Array).every(Number.isFinite), `${name}: ${tensor}`).toBe(true)
  }
  expect((await readdir(checkpoints)).filter((name) => name.endsWith('.tmp'))).toEqual([])
}

/** Of every array by its name. */
async function hashes(path: string): Promise<[string, string][]> {
  const hash = (data: NodeJS.ArrayBufferView): string => createHash('sha256').update(data).digest('hex')
  return [...(await readSafetensors(path))].map(([name, { data }]) => [name, hash(data)])
}

async function expectToGoOn(run: string): Promise<void> {
  const { code, output } = await runTrainer(['train', '--resume', run], folder)
  expect(output).toMatch(/full 2\/2/)
  expect(output).toContain('done:')
  expect(code).toBe(0)
}

it('saves when a photo vanishes, names it, and goes on once it is back', async () => {
  const photos = join(folder, 'photos')
  await cp(data, photos, { recursive: true })
  const [species] = await readdir(join(photos, 'train'))
  const [name] = await readdir(join(photos, 'train', species!))
  const photo = join(photos, 'train', species!, name!)
  // Too large to be held in memory: it is read anew in every epoch.
  const bytes = await sharp(photo).resize(300, 300).png().toBuffer()
  await writeFile(photo, bytes)
  const args = ['--data', photos, '--out', 'vanished', ...shortRun]
  const { code, output } = await trainUntil(args, 'head 1/1', () => rm(photo))
  expect(output).toContain('DATA_IMAGE_LOST')
  expect(output).toContain(photo)
  expect(code).toBe(1)
  await expectIntact('vanished')
  const tooEarly = await runTrainer(['train', '--resume', 'vanished'], folder)
  expect(tooEarly.output).toContain('TRAIN_DATA_CHANGED')
  expect(tooEarly.output).toContain(`missing: train/${species}/${name}`)
  await writeFile(photo, bytes)
  await expectToGoOn('vanished')
})

it('keeps what it has when the disk is full, and goes on when there is room', async () => {
  // A state of the phase `full` holds 1.5 MB, one of the phase `head` half as much.
  const limited = ['bash', '-c', 'ulimit -f 1200; exec "$0" "$@"']
  const args = ['train', '--data', data, '--out', 'disk', ...shortRun]
  const { code, output } = await startTrainer(args, folder, {}, limited).finished
  expect(output).toContain('SYSTEM_DISK_FULL')
  expect(output).toMatch(/head 1\/1/)
  expect(code).toBe(1)
  await expectIntact('disk')
  await expectToGoOn('disk')
})

it('keeps what it has when the run folder cannot be written, and goes on when it can', async () => {
  const checkpoints = join(folder, 'locked', 'checkpoints')
  // Permissions do not bind the administrator unless this capability is dropped.
  const bound = process.getuid?.() === 0 ? ['setpriv', '--bounding-set=-dac_override'] : []
  const args = ['--data', data, '--out', 'locked', ...shortRun]
  const { code, output } = await trainUntil(args, 'head 1/1', () => chmod(checkpoints, 0o555), bound)
  expect(output).toContain('SYSTEM_NO_PERMISSION')
  expect(code).toBe(1)
  await chmod(checkpoints, 0o755)
  await expectIntact('locked')
  await expectToGoOn('locked')
})

it('says that a place cannot be written before the data is looked through', async () => {
  await writeFile(join(folder, 'file'), '')
  const { code, output } = await runTrainer(['train', '--data', data, '--out', 'file/run', ...shortRun], folder)
  expect(output).toContain('SYSTEM_NO_PERMISSION')
  expect(output).not.toContain('classes')
  expect(code).toBe(1)
})

it('ends when the loss is no number, with the best checkpoint named and intact', async () => {
  const wild = set('phases.full.learningRate.backbone=1e30', 'phases.full.learningRate.schedule={"kind":"fixed"}')
  const { code, output } = await runTrainer(
    ['train', '--data', data, '--out', 'wild', ...shortRun, ...wild, ...set('saveMinutes=0.0001')],
    folder,
  )
  expect(output).toContain('TRAIN_DIVERGED')
  expect(output).toContain('--weights FILE')
  expect(output).toContain(join('wild', 'checkpoints', 'best.safetensors'))
  expect(code).toBe(1)
  await expectIntact('wild')
})

it('frees the folder when the settings cannot be trained, for a second try', async () => {
  const args = ['train', '--data', data, '--out', 'again', ...shortRun]
  for (const [wrong, error] of [
    ['phases.full.batch=49', 'TRAIN_BATCH_TOO_LARGE'],
    ['phases.full.batch=45', 'TRAIN_MEMORY'],
  ] as const) {
    const { output } = await runTrainer([...args, ...set(wrong)], folder, { FLOWERS_MEMORY_LIMIT_MIB: '50' })
    expect(output).toContain(error)
  }
  const { code } = await runTrainer([...args, ...set('phases.head.epochs=0', 'phases.full.epochs=1')], folder)
  expect(code).toBe(0)
})

it('halves the loss scale of float16 where updates overflow, leaves them out, and doubles it in time', async () => {
  // Few photos: a CPU has no arithmetic of its own for float16.
  const few = join(folder, 'few')
  await drawFlowers(few, { species: 12, train: 1, valid: 1, size: 32, seed: 2 })
  const half = ['precision=float16', 'phases.head.epochs=0', 'phases.full.epochs=1', 'phases.full.accumulate=4']
  const settings = [...shortRun, ...set(...half, 'phases.full.batch=2')]
  const first = await runTrainer(['train', '--data', few, '--out', 'half', ...settings], folder)
  expect(first.output).toContain('float16')
  expect(first.code).toBe(0)

  const path = join(folder, 'half', 'checkpoints', 'last.state.safetensors')
  /** The epoch once more, beginning with another scale; what the log says of it. */
  const again = async (lossScale: { value: number; good: number }) => {
    const { metadata } = await readSafetensorsHeader(path)
    const position = { ...(JSON.parse(metadata['position']!) as object), epoch: 0, step: 0, lossScale }
    await writeSafetensors(path, await readSafetensors(path), { position: JSON.stringify(position) })
    expect((await runTrainer(['train', '--resume', 'half'], folder)).code).toBe(0)
    const log = (await readFile(join(folder, 'half', 'metrics.jsonl'), 'utf8')).trim().split('\n')
    return JSON.parse(log.at(-1)!) as { lossScale: number; skippedSteps: number }
  }

  // Six micro-steps are two updates. A scale of 2^60 is infinite in float16.
  const before = await hashes(path)
  expect(await again({ value: 2 ** 60, good: 5 })).toMatchObject({ lossScale: 2 ** 58, skippedSteps: 2 })
  expect(await hashes(path)).toEqual(before)
  expect(await again({ value: 2, good: 1999 })).toMatchObject({ lossScale: 4, skippedSteps: 0 })
  expect(await hashes(path)).not.toEqual(before)
}, 600_000)
