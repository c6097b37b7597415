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
    const run = join(folder, 'killed')
    expect(await runUnderKills(data, folder, run, { kills: 20, seed: 11, longest: 6 })).toBeGreaterThanOrEqual(20)
    expect(await fingerprint(run)).toEqual(await fingerprint(reference))
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})
