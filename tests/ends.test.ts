import { access, cp, mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { drawSmallData } from './interrupted-run.ts'
import { runTrainer, startTrainer } from './trainer-process.ts'

let folder: string
let data: string
const at = (path: string): string => join(folder, path)

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'flowers-ends-'))
  data = await drawSmallData(folder)
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const tiny = (epochs: number): string[] =>
  [
    'model.architecture=convnext_test',
    'phases.head.epochs=0',
    'phases.fixres.epochs=0',
    'phases.full.size=32',
    'phases.full.batch=16',
    `phases.full.epochs=${epochs}`,
  ].flatMap((setting) => ['--set', setting])

/** Starts the trainer and does something once it has printed a text. */
function startUntil(args: readonly string[], text: string, variables: Readonly<Record<string, string>> = {}) {
  const { process: child, finished } = startTrainer(args, folder, variables)
  const printed = new Promise<void>((resolve) => {
    let seen = ''
    child.stdout?.on('data', (chunk: Buffer) => {
      seen += chunk.toString()
      if (seen.includes(text)) resolve()
    })
  })
  return { child, finished, printed: Promise.race([printed, finished]) }
}

it('gives runs that start in the same second a folder each', async () => {
  const place = at('together')
  await mkdir(place)
  const start = ['train', '--recipe', 'demo', '--data', data, ...tiny(1)]
  const ends = await Promise.all([1, 2].map((seed) => runTrainer([...start, '--set', `seed=${seed}`], place)))
  expect(ends.map(({ code }) => code)).toEqual([0, 0])
  const runs = await readdir(join(place, 'runs'))
  const seeds = await Promise.all(
    runs.map(async (run) => {
      const log = (await readFile(join(place, 'runs', run, 'metrics.jsonl'), 'utf8')).trim().split('\n')
      expect(log).toHaveLength(2)
      expect((await readdir(join(place, 'runs', run))).filter((name) => name.startsWith('.'))).toEqual([])
      return (JSON.parse(await readFile(join(place, 'runs', run, 'recipe.json'), 'utf8')) as { seed: number }).seed
    }),
  )
  expect(new Set(seeds)).toEqual(new Set([1, 2]))
})

describe('a run of many epochs', () => {
  const start = (): string[] => ['train', '--recipe', 'demo', '--data', data, '--out', 'long', ...tiny(500)]

  it('saves for a pipe that nobody reads any more', async () => {
    const { child, finished, printed } = startUntil(start(), 'full   1/500')
    await printed
    child.stdout?.destroy()
    const { code, output } = await finished
    expect(output).not.toMatch(/EPIPE|^\s+at /m)
    expect(code).toBe(143)
    await access(at('long/checkpoints/last.state.safetensors'))
  })

  it('is refused to a second process while it goes on, and saves when its terminal is closed', async () => {
    const { child, finished, printed } = startUntil(['train', '--resume', 'long'], 'convnext_test')
    await printed
    for (const second of [
      ['train', '--resume', 'long'],
      [...start(), '--resume-if-present'],
      ['report', '--run', 'long'],
    ]) {
      const { code, output } = await runTrainer(second, folder)
      expect(output).toContain(`(TRAIN_RUN_BUSY): process ${child.pid} works in long`)
      expect(code).toBe(1)
    }
    child.kill('SIGHUP')
    const { code, output } = await finished
    expect(output).toContain('saved; go on with')
    expect(code).toBe(143)
  })

  it('is taken over from a process that was killed', async () => {
    const { child, finished, printed } = startUntil(['train', '--resume', 'long'], 'convnext_test')
    await printed
    child.kill('SIGKILL')
    await finished
    expect(await readdir(at('long'))).toContain('.owner.1.json')
    const next = startUntil(['train', '--resume', 'long'], 'convnext_test')
    await next.printed
    next.child.kill('SIGTERM')
    expect((await next.finished).code).toBe(143)
    expect((await readdir(at('long'))).filter((name) => name.startsWith('.owner'))).toEqual([])
  })
})

describe('a finished run', () => {
  beforeAll(async () => {
    await cp(data, at('photos'), { recursive: true })
    const args = ['train', '--recipe', 'demo', '--data', 'photos', '--out', 'done', ...tiny(1)]
    await runTrainer(args, folder)
    const [species] = await readdir(at('photos/train'))
    const [photo] = await readdir(at(`photos/train/${species}`))
    await cp(at(`photos/train/${species}/${photo}`), at(`photos/train/${species}/new.jpg`))
  }, 120_000)

  it('is left as it is by --resume, which says so', async () => {
    const before = await readFile(at('done/report.html'))
    const { code, output } = await runTrainer(['train', '--resume', 'done'], folder)
    expect(output).toContain('this run has ended')
    expect(output).toMatch(/^done: /m)
    expect(code).toBe(0)
    expect(await readFile(at('done/report.html'))).toEqual(before)
  })

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 143],
  ] as const)('leaves nothing of an export that %s ends, and no program at work', async (signal, exitCode) => {
    const temporary = at(`tmp-${signal}`)
    await mkdir(temporary)
    const args = ['export', '--run', 'done', '--data', 'photos', '--out', 'models/done/1']
    const { child, finished, printed } = startUntil(args, 'converting it to ONNX', { TMPDIR: temporary })
    await printed
    while (!(await isAtWork(temporary))) await setImmediate()
    child.kill(signal)
    const { code, output } = await finished
    expect(output).toContain('stopped')
    expect(code).toBe(exitCode)
    while (await isAtWork(temporary)) await setImmediate()
    expect(await readdir(temporary)).toEqual([])
    await expect(readdir(at('models/done'))).rejects.toMatchObject({ code: 'ENOENT' })
  })

  it('is exported though photos were added, which are named', async () => {
    const args = ['export', '--run', 'done', '--data', 'photos', '--out', 'models/done/1']
    const { code, output } = await runTrainer(args, folder)
    expect(output).toMatch(/1 new photo is not used: train\/.*\/new\.jpg/)
    expect(code).toBe(0)
  })
})

/** Whether a program that was started by another works on files of a folder. */
async function isAtWork(place: string): Promise<boolean> {
  const processes = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  const commands = await Promise.all(processes.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')))
  return commands.some((command) => command.includes(place))
}
