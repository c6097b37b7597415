import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { drawSmallData, fingerprint, runUnderKills, smallRun } from './interrupted-run.ts'
import { runTrainer } from './trainer-process.ts'

it('ends bit for bit the same after twenty kills at random moments', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'flowers-kills-'))
  try {
    const data = await drawSmallData(folder)
    const reference = join(folder, 'reference')
    expect((await runTrainer(['train', '--data', data, '--out', reference, ...smallRun], folder)).code).toBe(0)
    const expected = await fingerprint(reference)
    let killed = 0
    for (let seed = 1; killed < 20; seed++) {
      const run = join(folder, `killed-${seed}`)
      killed += await runUnderKills(data, folder, run, { kills: 20, seed, longest: 5 })
      expect(await fingerprint(run)).toEqual(expected)
    }
    console.log(`${killed} kills`)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})
