import { mkdir, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { makePipe } from '../testing/odd-files.ts'
import { testFolder, testPhoto } from '../testing/test-photos.ts'
import { buildProgram } from './program.ts'
import { trainerHere as trainer } from '../testing/trainer-here.ts'

const models = fileURLToPath(new URL('../../../serve/fixtures/models', import.meta.url))
const tiny = join(models, 'tiny', '1')
let folder: Awaited<ReturnType<typeof testFolder>>
const at = (path: string): string => join(folder.path, path)

beforeAll(async () => {
  const photo = async (seed: number): Promise<Buffer> => testPhoto(seed)
  folder = await testFolder({
    'flowers/train/red/a.jpg': await photo(1),
    'flowers/train/blue/b.jpg': await photo(2),
    'flowers/valid/red/c.jpg': await photo(3),
    'mixed/a.jpg': await photo(4),
    'mixed/b.jpg': 'no photo',
    file: '',
    // What is wrong with it is found later than that it is not there.
    'w.safetensors': 'x',
    'mine.json': JSON.stringify({ phases: { full: { batchNorm: 'last' } } }),
  })
  await mkdir(at('empty'))
  // The folder that a person stands in; that of the process is another.
  vi.stubEnv('INIT_CWD', folder.path)
  vi.stubEnv('FLOWERS_CACHE', at('cache'))
})

afterAll(async () => {
  vi.unstubAllEnvs()
  await folder.remove()
})

it('predict makes the folder of its CSV, takes the highest version, and names the list of what it could not read', async () => {
  const out = 'not/there/yet.csv'
  const { code, output } = await trainer('predict', '--model', join(models, 'tiny'), '--input', 'mixed', '--out', out)
  expect(output).toContain(`1 photo labelled in ${out}`)
  expect(output).toContain(`${out}.errors.csv`)
  expect(code).toBe(0)
  expect(await readFile(at(out), 'utf8')).toContain('a.jpg')
})

describe('predict', () => {
  const predict = (input: string, out: string) => trainer('predict', '--model', tiny, '--input', input, '--out', out)

  it('labels a single photo', async () => {
    const { code } = await predict('mixed/a.jpg', 'one.csv')
    expect(code).toBe(0)
    expect(await readFile(at('one.csv'), 'utf8')).toMatch(/^path,label,confidence,level\na\.jpg,/)
  })

  it('passes over what is no photo of the person, and says so', async () => {
    await folder.write('odd/a.jpg', await testPhoto(5))
    await folder.write('odd/@eaDir/a.jpg', await testPhoto(6))
    await folder.write('odd/run/recipe.json', '{}')
    await folder.write('odd/run/data.json', '{}')
    await makePipe(at('odd/pipe.jpg'))
    const { code, output } = await predict('odd', 'odd.csv')
    expect(output.split('\n')).toEqual([
      '1 photo labelled in odd.csv',
      'passed over: pipe.jpg: a pipe',
      'passed over: run: a folder of runs or models',
      'passed over: 1 file or folder that systems make: @eaDir',
    ])
    expect(code).toBe(0)
  })

  it.each([
    ['mixed/b.jpg', 'The only file of'],
    ['broken', 'Each of 2 files of'],
  ])('fails where nothing of %s can be read, and leaves the list', async (input, words) => {
    await folder.write('broken/x.jpg', 'no photo')
    await folder.write('broken/y.txt', 'no photo')
    const { code, output } = await predict(input, 'none.csv')
    expect(output).toContain('(PREDICT_UNREADABLE)')
    expect(output).toContain(words)
    expect(code).toBe(1)
    expect(await readFile(at('none.csv.errors.csv'), 'utf8')).toMatch(/^path,reason\n/)
  })

  it('does not write over the photo it reads, and waits for no pipe', async () => {
    await folder.write('photo.jpg', await testPhoto(7))
    const before = await readFile(at('photo.jpg'))
    expect((await predict('photo.jpg', 'photo.jpg')).code).toBe(2)
    expect(await readFile(at('photo.jpg'))).toEqual(before)
    await makePipe(at('waiting'))
    const { code, output } = await predict('waiting', 'waiting.csv')
    expect(output).toContain('is a pipe')
    expect(code).toBe(2)
  })
})

describe('evaluate', () => {
  it('takes test photos alone, and says what it passes over', async () => {
    await folder.write('list.csv', 'path;label;split\nflowers\\valid\\red\\c.jpg;red;testing\nwaits.jpg;red;test\n')
    await makePipe(at('waits.jpg'))
    const { code, output } = await trainer('evaluate', '--model', tiny, '--data', 'list.csv', '--split', 'test')
    expect(output).toContain('on 1 photos of')
    expect(output).toContain('passed over: waits.jpg: a pipe')
    expect(code).toBe(0)
  })

  it('says that photos without a split are a part, and how to take all', async () => {
    for (let seed = 0; seed < 3; seed++)
      await folder.write(`unsplit/red/${seed}.jpg`, await testPhoto(20 + seed, 160, 120))
    const { code, output } = await trainer('evaluate', '--model', tiny, '--data', 'unsplit')
    expect(output).toContain('on 1 photos of')
    expect(output).toContain('--split all takes every one')
    expect(code).toBe(0)
  })
})

it('data preview makes the folder of its picture', async () => {
  const size = ['--recipe', 'demo', '--set', 'phases.full.size=16']
  const { code, output } = await trainer('data', 'preview', '--data', 'flowers', '--out', 'pictures/a.png', ...size)
  expect(output).toContain('wrote pictures/a.png')
  expect(code).toBe(0)
})

// Each is also wrong in what is looked at later.
it.each([
  ['predict', '--model', 'nope', '--input', 'nope', '--out', 'file/results.csv'],
  ['report', '--run', 'nope', '--out', 'file/report.html'],
  ['export', '--run', 'nope', '--data', 'nope', '--out', 'file/name/1'],
  ['data', 'preview', '--data', 'nope', '--out', 'file/a.png'],
  ['data', 'audit', '--data', 'nope', '--out', 'file'],
  ['ladder', '--data', 'nope', '--out', 'file/ladder'],
  ['train', '--data', 'nope', '--out', 'file/run'],
])('%s finds out before the work that it cannot write', async (...args) => {
  const { code, output } = await trainer(...args)
  expect(output).toContain('(SYSTEM_NO_PERMISSION)')
  expect(code).toBe(1)
})

it.each([
  [['evaluate', '--model', 'nope', '--data', 'flowers'], 'MODEL_FOLDER'],
  [['predict', '--model', 'empty', '--input', 'flowers', '--out', 'a.csv'], 'MODEL_FOLDER'],
  [['calibrate', '--model', 'nope', '--data', 'flowers'], 'MODEL_FOLDER'],
  [['evaluate', '--model', tiny, '--data', 'nope'], 'DATA_NOT_FOUND'],
  [['evaluate', '--model', tiny, '--data', 'empty'], 'DATA_FORM'],
  [['predict', '--model', tiny, '--input', 'nope', '--out', 'a.csv'], 'PREDICT_INPUT'],
  [['predict', '--model', tiny, '--input', 'mixed', '--out', 'empty'], 'USAGE'],
  [['report', '--run', 'nope'], 'TRAIN_RUN_MISSING'],
  [['report', '--run', 'nope', '--out', 'empty'], 'USAGE'],
  [['export', '--run', 'nope', '--data', 'flowers', '--out', 'models/a/1'], 'TRAIN_RUN_MISSING'],
  [['export', '--run', 'nope', '--data', 'flowers', '--out', tiny], 'MODEL_EXISTS'],
  [['data', 'preview', '--data', 'nope', '--out', 'empty'], 'USAGE'],
])('%j is wrong usage: %s', async (args, error) => {
  const { code, output } = await trainer(...args)
  expect(output).toContain(`(${error})`)
  expect(code).toBe(2)
})

describe('ladder', () => {
  it('claims its folder only once the photos are open', async () => {
    const { code, output } = await trainer('ladder', '--data', 'nope', '--out', 'ladder')
    expect(output).toContain('(DATA_NOT_FOUND)')
    expect(code).toBe(2)
    expect(await readdir(folder.path)).not.toContain('ladder')
  })

  it.each([
    ['w.safetensors', 'DATA_NOT_FOUND'],
    ['v.safetensors', 'WEIGHTS_UNKNOWN'],
  ])('looks for the weights %s where the person stands', async (weights, error) => {
    const { output } = await trainer('ladder', '--data', 'nope', '--set', `model.weights=${weights}`)
    expect(output).toContain(`(${error})`)
  })
})

it('shows no empty list as a default', () => {
  const { commands } = buildProgram()
  const all = [...commands, ...commands.flatMap((command) => command.commands)]
  const withSettings = all.map((command) => command.helpInformation()).filter((help) => help.includes('--set'))
  expect(withSettings).toHaveLength(3)
  for (const help of withSettings) expect(help).not.toContain('[])')
})

it('takes a recipe file that says only what it changes', async () => {
  const { code, output } = await trainer('train', '--recipe', 'mine.json', '--data', 'flowers')
  // Everything else is there, so that what is wrong is this alone.
  expect(output).toContain('last goes with trainable head')
  expect(output).not.toContain('Invalid input')
  expect(code).toBe(2)
})
