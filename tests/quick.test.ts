import { mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { drawFlowers } from '@flowers/trainer/drawn/drawn-flowers'
import { weightsForTest } from '@flowers/trainer/testing/test-network'
import type { Recipe } from '@flowers/trainer/recipe/schema'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { runTrainer } from './trainer-process.ts'

const { missing } = await weightsForTest('efficientnet_lite0')
let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'flowers-quick-'))
  await drawFlowers(join(folder, 'drawn'), { species: 12, train: 8, valid: 1, size: 48, seed: 6 })
  // Folders of classes, as a person has them, without a split.
  await rename(join(folder, 'drawn', 'train'), join(folder, 'photos'))
  const [right, wrong] = (await readdir(join(folder, 'photos'))).toSorted()
  const [photo] = await readdir(join(folder, 'photos', right!))
  await rename(join(folder, 'photos', right!, photo!), join(folder, 'photos', wrong!, 'wrong.jpg'))
})

afterAll(async () => {
  await rm(folder, { recursive: true })
})

it.skipIf(missing)(
  `plans the recipe quick for the photos and trains as planned${missing && `: ${missing}`}`,
  async () => {
    const settings = ['--set', 'minutes=0.2', '--set', 'phases.fixres.size=96']
    const { code, output } = await runTrainer(
      ['train', '--recipe', 'quick', '--data', 'photos', '--out', 'run', ...settings],
      folder,
    )
    const [, batch, size] =
      /training photos \(48 px\), (\d+) at a time: .* whole network \((\d+) px\)/.exec(output) ?? []
    expect(code).toBe(0)
    const recipe = JSON.parse(await readFile(join(folder, 'run', 'recipe.json'), 'utf8')) as Recipe
    expect(recipe.phases.full).toMatchObject({ size: Number(size), batch: Number(batch) })
    // The person's own setting has the last word.
    expect(recipe.phases.fixres).toMatchObject({ size: 96, batch: Number(batch) })
    expect(output).toMatch(/fixres (\d+)\/\1 /)
    expect(output).toMatch(/trained: took .*, planned /)
    expect(output).toContain('others/')
    expect(await readdir(join(folder, 'run', 'checkpoints'))).toContain('best.safetensors')
    expect(output).toMatch(/done: \d+\.\d % \(.* to .*\) of \d+ validation photos? right at \d+ px/)
    // A network that has learnt a wrong label by heart does not contradict it: the report asks one that has not.
    const report = await readFile(join(folder, 'run', 'report.html'), 'utf8')
    const [doubtful] = report.split('id="labels"')[1]!.split('<section')
    expect(doubtful).toContain('has not seen it')
    expect(doubtful).toContain('wrong.jpg"')
  },
)

it.each(['0', 'soon', '-3'])('refuses minutes=%s', async (minutes) => {
  const { code, output } = await runTrainer(
    ['train', '--recipe', 'quick', '--data', 'photos', '--set', `minutes=${minutes}`],
    folder,
  )
  expect(code).toBe(2)
  expect(output).toContain('minutes')
})

it('knows minutes with no other recipe', async () => {
  const { code, output } = await runTrainer(['train', '--set', 'minutes=20'], folder)
  expect(code).toBe(2)
  expect(output).toContain('RECIPE_SETTING')
})
