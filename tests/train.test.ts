import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { trainerHere } from '@flowers/trainer/testing/trainer-here'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { drawSmallData, fingerprint, smallRun } from './interrupted-run.ts'
import { readTensorBoard, type Board } from './python-environment.ts'
import { runTrainer, startTrainer } from './trainer-process.ts'

async function epochsOf(run: string): Promise<Record<string, number>[]> {
  const lines = (await readFile(join(run, 'metrics.jsonl'), 'utf8')).trim().split('\n')
  return lines
    .map((line) => JSON.parse(line) as Record<string, number> & { event: unknown })
    .filter(({ event }) => event === 'epoch')
}

let folder: string
let data: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'flowers-train-'))
  data = await drawSmallData(folder)
  vi.stubEnv('INIT_CWD', folder)
})

afterAll(async () => {
  vi.unstubAllEnvs()
  await rm(folder, { recursive: true, force: true })
})

describe('a run', () => {
  const reference = () => join(folder, 'reference')

  it('goes through its phases and says what it reached', async () => {
    const { code, output } = await runTrainer(['train', '--data', data, '--out', 'reference', ...smallRun], folder)
    expect(output).toMatch(/head +2\/2/)
    expect(output).toMatch(/full +2\/2/)
    expect(output).toMatch(/fixres +2\/2/)
    const rates = (await epochsOf(reference())).map(({ learningRate, backboneLearningRate }) => [
      learningRate,
      backboneLearningRate,
    ])
    // The head alone learns in the first phase; demo has the same rate for both in the others.
    for (const [head, backbone] of rates.slice(0, 2)) expect([head, backbone]).toEqual([2e-3, 0])
    for (const [head, backbone] of rates.slice(2)) expect(backbone).toBe(head)
    expect(rates).toHaveLength(6)
    expect(output).toMatch(/done: \d+\.\d % \(.* to .*\) of \d+ validation photos? right at (32|40) px/)
    expect(code).toBe(0)
  })

  it('ends bit for bit the same when it is killed, stopped by a person and by the system, and goes on', async () => {
    const run = join(folder, 'stopped')
    // The same command again is what a cluster does with a job that it has to move.
    const start = ['train', '--data', data, '--out', run, '--resume-if-present', ...smallRun]
    const endedBy = (args: readonly string[], signal: NodeJS.Signals, text: string) => {
      const { process: child, finished } = startTrainer(args, folder)
      let seen = ''
      child.stdout?.on('data', (chunk: Buffer) => {
        seen += chunk.toString()
        if (!child.killed && seen.includes(text)) child.kill(signal)
      })
      return finished
    }
    expect((await endedBy(start, 'SIGKILL', 'full: 32 px')).signal).toBe('SIGKILL')
    const byPerson = await endedBy(['train', '--resume', run], 'SIGINT', 'full 1/2')
    const bySystem = await endedBy(start, 'SIGTERM', 'fixres: 40 px')
    expect([byPerson.code, bySystem.code]).toEqual([130, 143])
    for (const { output } of [byPerson, bySystem])
      expect(output).toMatch(/saved; go on with: node \S+ train --resume stopped\n/)
    expect((await runTrainer(start, folder)).code).toBe(0)
    expect(await fingerprint(run)).toEqual(await fingerprint(reference()))
  })

  it('says at Ctrl-C before it trains that it has not begun, and leaves nothing half-made', async () => {
    const place = join(folder, 'unborn')
    await mkdir(place)
    const { process: child, finished } = startTrainer(['train'], place)
    child.stdout?.on('data', (chunk: Buffer) => {
      if (!child.killed && chunk.toString().includes('draws itself')) child.kill('SIGINT')
    })
    const { code, output } = await finished
    expect(output).toContain('begin again with the same command')
    expect(output).not.toContain('saved')
    expect(code).toBe(130)
    // Where runs go; pictures are drawn into it whole or not at all.
    expect(await readdir(place, { recursive: true })).toEqual(['runs'])
  })

  it('is shown by TensorBoard, the same whether it was interrupted or not', async () => {
    const stopped = join(folder, 'stopped')
    const files = (await readdir(stopped)).filter((name) => name.startsWith('events.out.tfevents.'))
    expect(files).toHaveLength(4)
    const boards = await readTensorBoard(reference(), stopped)
    const whole = boards[0]!

    const steps = (tag: string) => whole.scalars[tag]?.map(([step]) => step)
    // 48 photos in batches of eight, two epochs a phase, four batches an update in `full`: an epoch stands at its last update.
    expect(steps('train/loss')).toEqual([5, 11, 13, 15, 21, 27])
    for (const tag of ['train/accuracy', 'valid/loss', 'valid/accuracy', 'learning_rate', 'images_per_second'])
      expect(steps(tag)).toEqual(steps('train/loss'))
    const logged = await epochsOf(reference())
    for (const [tag, key] of [
      ['train/loss', 'loss'],
      ['valid/accuracy', 'validAccuracy'],
      ['learning_rate', 'learningRate'],
      ['learning_rate_backbone', 'backboneLearningRate'],
    ] as const)
      expect(whole.scalars[tag]?.map(([, value]) => value)).toEqual(logged.map((epoch) => Math.fround(epoch[key]!)))
    expect(
      Object.fromEntries(Object.entries(whole.images).map(([tag, shown]) => [tag, shown.map(([step]) => step)])),
    ).toEqual(
      Object.fromEntries(
        ['head', 'full', 'fixres'].flatMap((phase, index) =>
          ['train', 'valid'].map((split) => [`${split}_photos/${phase}/image`, [[0, 12, 16][index]]]),
        ),
      ),
    )
    // A run that goes on in the middle of an update shows the batch it goes on with.
    const timeless = ({ scalars: { images_per_second, ...scalars }, images }: Board) => ({
      scalars,
      images: Object.fromEntries(
        Object.entries(images).map(([tag, shown]) => [tag, tag.startsWith('train') ? shown.length : shown]),
      ),
      timed: images_per_second?.map(([step]) => step),
    })
    for (const board of boards.slice(1)) expect(timeless(board)).toEqual(timeless(whole))
  })

  it('is left as it is when the command that started it comes once more after its end', async () => {
    const start = ['train', '--data', data, '--out', reference(), '--resume-if-present', ...smallRun]
    const before = await fingerprint(reference())
    const { code, output } = await runTrainer(start, folder)
    expect(output).toMatch(/done: /)
    expect(code).toBe(0)
    expect(await fingerprint(reference())).toEqual(before)
  })

  it.each([
    [['train', '--recipe', 'no-such', '--data', 'flowers'], 2, 'RECIPE_UNKNOWN'],
    [['train', '--recipe', 'report'], 2, 'USAGE'],
    [['train', '--data', 'flowers', '--set', 'phases.full.epoch=3'], 2, 'RECIPE_SETTING'],
    [
      ['train', '--data', 'flowers', '--set', 'phases.full.mix.late={"epochs":200,"mixup":0,"cutmix":0}'],
      2,
      'mix.late',
    ],
    [['train', '--data', 'nowhere'], 2, 'DATA_NOT_FOUND'],
    [['--data', 'nowhere', '--name', 'mine'], 2, 'DATA_NOT_FOUND'],
    [['--', '--data', 'nowhere', '--name', 'My Roses'], 2, '--name my-roses'],
    [['--data', 'nowhere', '--from', 'mine'], 2, 'there is no model "mine" in models; there are: none'],
    [['--data', 'nowhere', '--set', 'minuts=2'], 2, 'did you mean minutes?'],
    [['--data', 'nowhere', '--recipe', 'demo', '--minutes', '2'], 2, '--minutes belongs to the recipe quick'],
    [['train', '--resume', 'reference', '--minutes', '2', '--from', 'x'], 2, 'leave out --from, --minutes'],
    [['export', '--run', 'reference', '--data', 'flowers'], 2, '--name NAME or --out'],
    // What is wrong with the model is found before the photos are looked for.
    [['train', '--data', 'nowhere', '--set', 'model.architecture=resnet'], 2, 'MODEL_UNKNOWN_ARCHITECTURE'],
    [
      ['train', '--recipe', 'demo', '--data', 'nowhere', '--set', 'phases.full.batchNorm=trained'],
      2,
      'no batch normalisation',
    ],
    [['train', '--recipe', 'quick', '--data', 'nowhere', '--weights', 'convnext_tiny'], 2, 'WEIGHTS_ARCHITECTURE'],
    [['train', '--recipe', 'quick', '--data', 'nowhere', '--set', 'model.layerScale=1e-6'], 2, 'no LayerScale'],
    [['ladder', '--data', 'nowhere', '--set', 'model.layerScale=1e-6'], 2, 'no LayerScale'],
    [['ladder', '--data', 'nowhere', '--steps', '4', '--set', 'phases.full.mix.late.epochs=20'], 2, 'mix.late.epochs'],
    [['ladder', '--data', 'nowhere', '--seeds', '1,2,1'], 2, '--seeds has 1 twice'],
    [['train', '--data', 'flowers', '--out', 'reference'], 2, 'TRAIN_RUN_EXISTS'],
    [
      ['train', '--recipe', 'demo', '--data', 'flowers', '--out', 'wide', '--set', 'phases.head.batch=999'],
      2,
      'TRAIN_BATCH_TOO_LARGE',
    ],
    [
      ['train', '--recipe', 'demo', '--data', 'flowers', '--out', 'reference', '--resume-if-present'],
      2,
      'TRAIN_RUN_EXISTS',
    ],
    [['train', '--data', 'flowers', '--resume-if-present'], 2, 'USAGE'],
    [['train', '--resume', 'flowers'], 2, 'TRAIN_RUN_MISSING'],
    [['train', '--resume', 'reference', '--set', 'seed=2'], 2, 'USAGE'],
    [['train', '--no-such-option'], 2, '--no-such-option'],
    [['no-such-command'], 2, 'no-such-command'],
    [['data', 'audit', '--data', 'flowers', '--minimum-size', 'big'], 2, 'USAGE'],
  ])('answers %j with exit code %i and %s', async (args, exitCode, mention) => {
    const { code, output } = await trainerHere(...args)
    expect(output).toContain(mention)
    expect(output).not.toMatch(/^\s+at /m)
    expect(code).toBe(exitCode)
  })

  it('finds weights that do not fit before the photos are looked for', async () => {
    // A safetensors file without tensors.
    await writeFile(join(folder, 'empty.safetensors'), Buffer.from('\x02\0\0\0\0\0\0\0{}'))
    const { code, output } = await runTrainer(
      ['train', '--recipe', 'demo', '--data', 'nowhere', '--out', 'unfit', '--weights', 'empty.safetensors'],
      folder,
    )
    expect(output).toContain('MODEL_WEIGHTS_MISMATCH')
    expect(code).toBe(1)
  })

  it.each([
    [['--help'], 'train'],
    [['train', '--help'], '--recipe'],
    [['data', 'audit', '--help'], '--minimum-size'],
  ])('helps with %j', async (args, mention) => {
    const { code, output } = await trainerHere(...args)
    expect(output).toContain(mention)
    expect(code).toBe(0)
  })
})

it('says which batch fits when memory runs out', async () => {
  const limited = { FLOWERS_MEMORY_LIMIT_MIB: '110' }
  const { code, output } = await runTrainer(
    [
      'train',
      '--data',
      data,
      '--out',
      'memory',
      ...smallRun,
      '--set',
      'phases.head.epochs=0',
      '--set',
      'phases.full.size=64',
      '--set',
      'phases.full.batch=48',
    ],
    folder,
    limited,
  )
  expect(output).toMatch(/batches of 48 at 64 px; a batch of \d+ fits/)
  expect(output).toContain('TRAIN_MEMORY')
  expect(code).toBe(1)
})
