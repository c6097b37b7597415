import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { drawFlowers } from '@flowers/trainer/data/drawn-flowers'
import { Random } from '@flowers/trainer/random'
import { runTrainer, startTrainer } from './trainer-process.ts'

/** A run of three phases that takes a few seconds. */
export const smallRun = [
  'model.architecture=convnext_atto',
  'saveMinutes=0.005',
  ...['head', 'full', 'fixres'].flatMap((phase, index) => [
    `phases.${phase}.epochs=2`,
    `phases.${phase}.size=${[32, 32, 40][index]}`,
    `phases.${phase}.batch=16`,
  ]),
  // Six steps an epoch: updates of four and of the two that are left over.
  'phases.full.accumulate=4',
  'phases.full.mix.probability=0.5',
  'phases.full.mix.mixupAlpha=0.4',
].flatMap((setting) => ['--set', setting])

export async function drawSmallData(folder: string): Promise<string> {
  const data = join(folder, 'flowers')
  await drawFlowers(data, { species: 12, train: 8, valid: 2, size: 48, seed: 2 })
  return data
}

/** Hashes of what a finished run leaves: all weights, optimizer state and average, and the validation results of its log. */
export async function fingerprint(run: string): Promise<string[]> {
  const files = ['last.state.safetensors', 'last.safetensors', 'best.safetensors', 'best-full.safetensors']
  const hashes = await Promise.all(
    files.map(async (name) => {
      const bytes = await readFile(join(run, 'checkpoints', name))
      return createHash('sha256').update(withoutClock(bytes)).digest('hex')
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

/**
 * Runs to the end under `kill -9` at random moments; every start but the first is a resume.
 * @returns how often it was killed
 */
export async function runUnderKills(
  data: string,
  folder: string,
  run: string,
  options: { kills: number; seed: number; longest: number },
): Promise<number> {
  const random = new Random(options.seed, 'scene')
  let killed = 0
  for (let attempt = 0; ; attempt++) {
    const args = attempt === 0 ? ['train', '--data', data, '--out', run, ...smallRun] : ['train', '--resume', run]
    const { process: child, finished } = startTrainer(args, folder)
    const timer =
      killed < options.kills
        ? setTimeout(() => child.kill('SIGKILL'), random.between(0.2, options.longest) * 1000)
        : undefined
    const { code, signal, output } = await finished
    clearTimeout(timer)
    if (signal === 'SIGKILL') {
      killed++
      continue
    }
    // Killed before the run folder said what the run is: it is started again.
    if (code === 2 && output.includes('TRAIN_RUN_MISSING')) {
      const again = await runTrainer(['train', '--data', data, '--out', run, ...smallRun], folder)
      if (again.code === 0) return killed
      throw new Error(again.output)
    }
    if (code !== 0) throw new Error(output)
    return killed
  }
}
