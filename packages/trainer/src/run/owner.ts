import { randomUUID } from 'node:crypto'
import { link, open, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { atExit } from '@flowers/shared/at-exit'
import { unlessAbsent } from '@flowers/shared/files'
import { z } from 'zod'
import { requireWritable } from '../console/output.ts'
import { toUser } from '../console/paths.ts'
import { thisSystem, type Owner, type OwnerSystem } from './owner-system.ts'
import { TrainerError } from '../errors.ts'

const ownerSchema: z.ZodType<Owner> = z.object({
  pid: z.int().positive(),
  host: z.string(),
  realm: z.string(),
  started: z.string().nullable(),
})

/** Seconds without a sign of life after which a process is taken for dead that the system cannot be asked about. */
const patience = 120
const secondsBetweenSigns = 10

export interface OwningOptions {
  /** Hears why it takes a while. */
  readonly say?: (line: string) => void
  readonly system?: OwnerSystem
}

interface FoundOwner {
  readonly path: string
  readonly place: number
  readonly text: string
  /** Null: the file is damaged. */
  readonly owner: Owner | null
  /** By the clock of the file system, milliseconds. */
  readonly lastSign: number
}

/**
 * Makes this process the one that writes in a folder, until it calls what is returned or ends. A dead owner's place is
 * taken over: at once where the system can be asked, else (another machine or container) when it gave no sign of life for
 * two minutes. Throws TRAIN_RUN_BUSY, and the system's error where the folder cannot be written to.
 *
 * Owners stand in numbered files that appear whole. Of several processes that come at once, one makes the next number;
 * it owns the folder if no other owner lives by then.
 */
export async function ownFolder(
  folder: string,
  { say = () => {}, system = thisSystem }: OwningOptions = {},
): Promise<() => Promise<void>> {
  await requireWritable(folder)
  const self = await system.self()
  for (;;) {
    const before = await readOwners(folder)
    for (const found of before) {
      if (!(await isAlive(found, self, folder, { say, system }))) continue
      const { pid, host } = found.owner ?? { pid: 'unknown', host: self.host }
      const where = host === self.host ? '' : ` on ${host}`
      throw new TrainerError('TRAIN_RUN_BUSY', `process ${pid}${where} works in ${toUser(folder)}`)
    }
    const place = 1 + Math.max(0, ...before.map((found) => found.place))
    const path = join(folder, `.owner.${place}.json`)
    if (!(await writeNew(folder, path, JSON.stringify(self)))) continue
    const others = (await readOwners(folder)).filter((found) => found.path !== path)
    // The same name may be another's by now.
    if (others.every((found) => before.some(({ path, text }) => path === found.path && text === found.text))) {
      for (const found of others) await rm(found.path, { force: true })
      return hold(path)
    }
    // One who read the folder before this file was there: both step back.
    await rm(path, { force: true })
  }
}

/** Keeps an owner's file alive; returns what gives the folder up. */
function hold(path: string): () => Promise<void> {
  const signs = setInterval(() => void giveSign(path).catch(() => {}), 1000 * secondsBetweenSigns)
  signs.unref()
  const kept = atExit(() => rmSync(path, { force: true }))
  return async () => {
    clearInterval(signs)
    await rm(path, { force: true })
    kept()
  }
}

/** Writes what is there already, so that the file gets the time of the file system's clock. */
async function giveSign(path: string): Promise<void> {
  const file = await open(path, 'r+')
  try {
    await file.write('{', 0)
  } finally {
    await file.close()
  }
}

async function isAlive(
  { owner, path, lastSign }: FoundOwner,
  self: Owner,
  folder: string,
  { say, system }: Required<OwningOptions>,
): Promise<boolean> {
  if (owner?.realm === self.realm) {
    const started = await system.startOf(owner.pid)
    if (started === undefined) return false
    if (started !== null && owner.started !== null) return started === owner.started
  }
  const silent = ((await clockOf(folder)) - lastSign) / 1000
  if (silent >= patience) return false
  if (owner !== null)
    say(`waiting two minutes to see whether process ${owner.pid} on ${owner.host} still works in ${toUser(folder)}`)
  await system.wait(1000 * (patience - silent))
  return ((await signOf(path)) ?? -Infinity) > lastSign
}

async function readOwners(folder: string): Promise<FoundOwner[]> {
  const found: FoundOwner[] = []
  for (const name of await readdir(folder)) {
    const [, place] = /^\.owner\.(\d+)\.json$/.exec(name) ?? []
    if (place === undefined) continue
    const path = join(folder, name)
    const lastSign = await signOf(path)
    const text = await unlessAbsent(readFile(path, 'utf8'))
    // It was given up meanwhile.
    if (lastSign === undefined || text === undefined) continue
    found.push({ path, place: Number(place), text, owner: parseOwner(text), lastSign })
  }
  return found
}

function parseOwner(text: string): Owner | null {
  try {
    return ownerSchema.parse(JSON.parse(text))
  } catch {
    return null
  }
}

const signOf = async (path: string): Promise<number | undefined> => (await unlessAbsent(stat(path)))?.mtimeMs

/** The time by the file system's own clock, which is another than the machine's where it is a server's. */
async function clockOf(folder: string): Promise<number> {
  const probe = join(folder, `.owner.${randomUUID()}.tmp`)
  try {
    await writeFile(probe, '')
    return (await stat(probe)).mtimeMs
  } finally {
    await rm(probe, { force: true })
  }
}

/** Makes a file with its content in one moment; false where there is one already. */
async function writeNew(folder: string, path: string, content: string): Promise<boolean> {
  const draft = join(folder, `.owner.${randomUUID()}.tmp`)
  await writeFile(draft, content)
  try {
    await link(draft, path)
    return true
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST') return false
    if (!isWithoutLinks(code)) throw error
    return await writeFile(path, content, { flag: 'wx' }).then(
      () => true,
      (failure: NodeJS.ErrnoException) => {
        if (failure.code === 'EEXIST') return false
        throw failure
      },
    )
  } finally {
    await rm(draft, { force: true })
  }
}

/** Of file systems that have no hard links, such as those of memory cards. */
const isWithoutLinks = (code: string | undefined): boolean =>
  ['EPERM', 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP', 'EMLINK'].includes(code ?? '')
