import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Random } from '@flowers/shared/random'
import { expect, it } from 'vitest'
import { changefulRun, drawSmallData, fingerprint, runUnderKills, smallRun } from './interrupted-run.ts'
import { runTrainer } from './trainer-process.ts'

const kills = 10

it.each([
  ['ConvNeXt in float32', smallRun],
  ['EfficientNet-Lite in float16', changefulRun],
])('%s ends bit for bit the same after ten kills at random moments of its training', async (_, settings) => {
  const folder = await mkdtemp(join(tmpdir(), 'flowers-kills-'))
  try {
    const data = await drawSmallData(folder)
    const reference = join(folder, 'reference')
    const started = performance.now()
    expect((await runTrainer(['train', '--data', data, '--out', reference, ...settings], folder)).code).toBe(0)
    const seconds = (performance.now() - started) / 1000
    const expected = await fingerprint(reference)
    let [killed, early] = [0, 0]
    for (let seed = 1; killed < kills; seed++) {
      const run = join(folder, `killed-${seed}`)
      const random = new Random(seed, 'scene')
      const moments = Array.from({ length: 2 * kills }, () => random.between(0.2, seconds))
      const left = await runUnderKills(data, folder, run, { settings, moments })
      expect(await fingerprint(run)).toEqual(expected)
      early += left.filter((position) => position === null).length
      killed += left.filter((position) => position !== null).length
    }
    console.log(`${killed} kills, and ${early} before there was a state to go on with`)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})
