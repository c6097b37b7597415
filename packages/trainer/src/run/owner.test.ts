import { readdir, readFile, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { testFolder } from '../testing/test-photos.ts'
import { isLeftOfUnbornRun } from './files.ts'
import { thisSystem, type Owner, type OwnerSystem } from './owner-system.ts'
import { ownFolder } from './owner.ts'

const here: Owner = { pid: 7, host: 'garden', realm: 'garden boot 1', started: '500' }
let folder: Awaited<ReturnType<typeof testFolder>>

beforeEach(async () => {
  folder = await testFolder({})
})
afterEach(() => folder.remove())

const lock = (): string => join(folder.path, '.owner.1.json')

/** A system on which these processes run, by number and start. */
function system(self: Owner, running: Record<number, string> = {}, wait: OwnerSystem['wait'] = async () => {}) {
  const started = new Map(Object.entries({ [self.pid]: self.started, ...running }))
  return { self: async () => self, startOf: async (pid: number) => started.get(String(pid)), wait }
}

/** Leaves an owner behind that gave its last sign so many seconds ago. */
async function leave(owner: Owner | string, secondsAgo = 0): Promise<void> {
  await writeFile(lock(), typeof owner === 'string' ? owner : JSON.stringify(owner))
  const then = new Date(Date.now() - 1000 * secondsAgo)
  await utimes(lock(), then, then)
}

it('has one owner, and another once it is given up', async () => {
  const giveUp = await ownFolder(folder.path, { system: system(here) })
  const other = { ...here, pid: 8, started: '600' }
  const second = ownFolder(folder.path, { system: system(other, { 7: '500' }) })
  await expect(second).rejects.toMatchObject({ code: 'TRAIN_RUN_BUSY', message: expect.stringContaining('process 7 ') })
  expect((await readdir(folder.path)).every(isLeftOfUnbornRun)).toBe(true)
  await giveUp()
  expect(await readdir(folder.path)).toEqual([])
  await (
    await ownFolder(folder.path, { system: system(other) })
  )()
})

it.each([
  ['a process that is gone', { ...here, pid: 9, started: '400' }, {}],
  ['a process whose number another has by now', { ...here, pid: 9, started: '400' }, { 9: '450' }],
] as const)('is taken over from %s, at once', async (_, owner, running) => {
  await leave(owner)
  const wait = (): never => expect.fail('it has not to wait')
  await ownFolder(folder.path, { system: system(here, running, wait) })
  expect(await readdir(folder.path)).toEqual(['.owner.2.json'])
  expect(JSON.parse(await readFile(join(folder.path, '.owner.2.json'), 'utf8'))).toEqual(here)
})

const elsewhere: Owner = { ...here, host: 'shed', realm: 'shed boot 9' }

it.each([
  ['another machine', elsewhere],
  ['a file that was cut', '{"pid":'],
])('is taken over from %s after two minutes of silence', async (_, owner) => {
  await leave(owner, 121)
  await ownFolder(folder.path, { system: system(here) })
  expect(await readdir(folder.path)).toEqual(['.owner.2.json'])
})

it('waits for what another machine does before it judges', async () => {
  await leave(elsewhere, 30)
  const said: string[] = []
  const signs = system(here, {}, async (milliseconds) => {
    // The clock of the file system and this test's may differ by some milliseconds.
    expect(Math.round(milliseconds / 1000)).toBe(90)
    const now = new Date()
    await utimes(lock(), now, now)
  })
  const refused = ownFolder(folder.path, { system: signs, say: (line) => said.push(line) })
  await expect(refused).rejects.toMatchObject({ code: 'TRAIN_RUN_BUSY', message: expect.stringContaining('on shed') })
  expect(said).toEqual([expect.stringContaining('process 7 on shed')])
  await leave(elsewhere, 30)
  await ownFolder(folder.path, { system: system(here) })
})

it('goes to exactly one of many that come at once, also over a dead owner', async () => {
  const comers = Array.from({ length: 20 }, (_, place) => ({ ...here, pid: 100 + place, started: String(place) }))
  const running = Object.fromEntries(comers.map(({ pid, started }) => [pid, started]))
  const come = () => Promise.allSettled(comers.map((self) => ownFolder(folder.path, { system: system(self, running) })))
  const wonBy = (results: Awaited<ReturnType<typeof come>>) => results.filter(({ status }) => status === 'fulfilled')
  expect(wonBy(await come())).toHaveLength(1)
  for (const name of await readdir(folder.path)) {
    const { pid } = JSON.parse(await readFile(join(folder.path, name), 'utf8')) as Owner
    delete running[pid]
    comers.splice(
      comers.findIndex((comer) => comer.pid === pid),
      1,
    )
  }
  expect(wonBy(await come())).toHaveLength(1)
})

it('knows its own process from another, and from one that has ended', async () => {
  const self = await thisSystem.self()
  expect(await thisSystem.startOf(process.pid)).toBe(self.started)
  expect(await thisSystem.startOf(2 ** 22 + 1)).toBeUndefined()
})
