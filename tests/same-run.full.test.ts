import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { drawFlowers } from '@flowers/trainer/drawn/drawn-flowers'
import { expect, it } from 'vitest'
import { fingerprint } from './interrupted-run.ts'
import { runTrainer } from './trainer-process.ts'

/** The network and the sizes of a recipe that ships; small ones hid that two runs parted at the first steps. */
const settings = ['phases.head.epochs=0', 'phases.full.epochs=1', 'phases.fixres.epochs=0'].flatMap((setting) => [
  '--set',
  setting,
])

it('three runs of EfficientNet-Lite2 with one seed are equal bit for bit', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'flowers-same-'))
  try {
    const data = join(folder, 'flowers')
    await drawFlowers(data, { species: 12, train: 40, valid: 4, size: 64, seed: 3 })
    const prints = []
    for (const name of ['one', 'two', 'three']) {
      const run = join(folder, name)
      expect(
        (await runTrainer(['train', '--data', data, '--out', run, '--recipe', 'flowers102', ...settings], folder)).code,
      ).toBe(0)
      prints.push(await fingerprint(run))
    }
    expect(prints[1]).toEqual(prints[0])
    expect(prints[2]).toEqual(prints[0])
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})
