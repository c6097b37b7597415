import { createHash } from 'node:crypto'
import { access, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { drawFlowers } from '@flowers/trainer/drawn/drawn-flowers'
import { readSafetensorsHeader } from '@flowers/trainer/model/weights/safetensors'
import type { Position } from '@flowers/trainer/run/state'
import { startTrainer } from './trainer-process.ts'

/** The recipe demo with settings, as words of a command line. */
function demoWith(...settings: readonly string[]): string[] {
  return ['--recipe', 'demo', ...settings.flatMap((setting) => ['--set', setting])]
}

/** A run of three phases that takes a few seconds. */
export const smallRun = demoWith(
  'model.architecture=convnext_test',
  'saveMinutes=0.005',
  ...['head', 'full', 'fixres'].flatMap((phase, index) => [
    `phases.${phase}.epochs=2`,
    `phases.${phase}.size=${[32, 32, 40][index]}`,
    `phases.${phase}.batch=8`,
  ]),
  // Six steps an epoch: updates of four and of the two that are left over.
  'phases.full.accumulate=4',
  'phases.full.mix.probability=0.5',
  'phases.full.mix.mixupAlpha=0.4',
)

/**
 * Another, of what {@link smallRun} does without: batch normalisations that learn, float16 whose loss scale overflows at
 * first, updates of two steps, early stopping, a rate that falls at plateaus, cached features. Every step is saved.
 */
export const changefulRun = demoWith(
  'model.architecture=efficientnet_lite0',
  'model.layerScale=0',
  'precision=float16',
  'saveMinutes=0.00001',
  ...['head', 'full', 'fixres'].flatMap((phase, index) => [
    `phases.${phase}.epochs=${[4, 5, 2][index]}`,
    `phases.${phase}.size=${[32, 32, 40][index]}`,
    `phases.${phase}.batch=8`,
    `phases.${phase}.tta=null`,
    `phases.${phase}.ema={"decay":0.99,"power":0.75}`,
  ]),
  'phases.head.features=cached',
  // No accuracy gains more than 1: patience ends phases, and every epoch but the first is a plateau.
  'phases.head.earlyStopping={"patience":2,"minEpochs":0,"threshold":1}',
  'phases.full.earlyStopping={"patience":3,"minEpochs":0,"threshold":1}',
  'phases.full.learningRate.schedule={"kind":"plateau","warmupEpochs":0,"factor":0.5,"patience":0,"threshold":1,"minimum":0}',
  'phases.full.accumulate=2',
  'phases.full.batchNorm=trained',
  'phases.full.focalGamma=1',
  'phases.fixres.focalGamma=0',
  'phases.fixres.trainable=head',
  'phases.fixres.batchNorm=last',
)

export async function drawSmallData(folder: string): Promise<string> {
  const data = join(folder, 'flowers')
  await drawFlowers(data, { species: 12, train: 4, valid: 1, size: 48, seed: 2 })
  return data
}

/** What a finished run leaves: hashes of all weights, optimizer state and averages, and its log. */
export async function fingerprint(run: string): Promise<string[]> {
  const files = (await readdir(join(run, 'checkpoints'))).toSorted()
  const hashes = await Promise.all(
    files.map(async (name) => {
      const bytes = await readFile(join(run, 'checkpoints', name))
      return `${name} ${createHash('sha256').update(withoutClock(bytes)).digest('hex')}`
    }),
  )
  const log = (await readFile(join(run, 'metrics.jsonl'), 'utf8')).trim().split('\n')
  const timeless = log.map((line) =>
    JSON.stringify({ ...(JSON.parse(line) as object), seconds: 0, imagesPerSecond: 0 }),
  )
  return [...hashes, ...timeless]
}

/** A safetensors file without its header's metadata on time: the length of the log and the seconds trained depend on the clock. */
function withoutClock(bytes: Buffer): Buffer {
  const end = 8 + Number(bytes.readBigUInt64LE(0))
  const header = bytes
    .subarray(8, end)
    .toString()
    .replace(/\\"(seconds|metricsBytes)\\":[0-9.]+/g, '')
    .trim()
  return Buffer.concat([Buffer.from(header), bytes.subarray(end)])
}

/** When a run is killed: so many seconds after its start, or once its saved state is like this. */
export type Moment = number | ((position: Position) => boolean)

/**
 * Runs to the end under `kill -9`; every start but the first is a resume. A moment that comes after the end of the run is
 * no kill, nor are those after it.
 * @returns of each kill, what the state that it left says; null: it came before the first was saved
 */
export async function runUnderKills(
  data: string,
  folder: string,
  run: string,
  { settings, moments }: { settings: readonly string[]; moments: readonly Moment[] },
): Promise<(Position | null)[]> {
  const left: (Position | null)[] = []
  for (;;) {
    // Killed before the run folder said what the run is: it is started again.
    const isBorn = await isThere(join(run, 'data.json'))
    const args = isBorn ? ['train', '--resume', run] : ['train', '--data', data, '--out', run, ...settings]
    const trainer = startTrainer(args, folder)
    const moment = moments[left.length]
    const killing = moment === undefined ? undefined : killAt(moment, run, trainer)
    const { code, signal, output } = await trainer.finished
    const isKilled = (await killing) ?? false
    if (code === 0 || (isKilled && output.includes('done: '))) return left
    if (!isKilled || signal !== 'SIGKILL') throw new Error(`ended by ${signal ?? code}: ${output}`)
    left.push(await savedPosition(run))
  }
}

/** @returns whether the trainer still ran at that moment */
async function killAt(
  moment: Moment,
  run: string,
  { process: child, finished }: ReturnType<typeof startTrainer>,
): Promise<boolean> {
  const end = finished.then(() => true)
  const isOver = (seconds: number): Promise<boolean> => Promise.race([end, setTimeout(1000 * seconds, false)])
  if (typeof moment === 'number') return !(await isOver(moment)) && child.kill('SIGKILL')
  while (!(await isOver(0.01))) {
    const position = await savedPosition(run)
    if (position !== null && moment(position)) return child.kill('SIGKILL')
  }
  return false
}

async function savedPosition(run: string): Promise<Position | null> {
  const path = join(run, 'checkpoints', 'last.state.safetensors')
  if (!(await isThere(path))) return null
  const { metadata } = await readSafetensorsHeader(path)
  return JSON.parse(metadata['position']!) as Position
}

const isThere = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  )
