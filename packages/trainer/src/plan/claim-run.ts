import { mkdir, readdir } from 'node:fs/promises'
import { existsSync, readdirSync, rmdirSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { atExit } from '@flowers/shared/at-exit'
import { toUser } from '../console/paths.ts'
import { isLeftOfUnbornRun, runFiles } from '../run/files.ts'
import { ownFolder, type OwningOptions } from '../run/owner.ts'
import type { RunPlan } from './start-run.ts'
import { TrainerError } from '../errors.ts'

export interface ClaimedRun {
  readonly folder: string
  /** Gives the folder up. A run that has not written down what it is leaves nothing. */
  readonly release: () => Promise<void>
}

/**
 * Makes the folder of a planned run, or takes it where the person named one that may be gone on with; no other process
 * has it then. A name that nobody typed and that is taken gets `-2`, `-3` and so on. Throws TRAIN_RUN_BUSY,
 * TRAIN_RUN_EXISTS, and the system's error where the folder cannot be made.
 */
export async function claimRun(
  { folder: wanted, isNamed, resume }: Pick<RunPlan, 'folder' | 'isNamed' | 'resume'>,
  options?: OwningOptions,
): Promise<ClaimedRun> {
  await mkdir(dirname(wanted), { recursive: true })
  const { folder, isMade } = isNamed ? await takeNamed(wanted) : await makeNext(wanted)
  const kept = resume ? () => {} : atExit(() => leaveNothing(folder, isMade))
  let giveUp: (() => Promise<void>) | undefined
  const release = async (): Promise<void> => {
    await giveUp?.()
    if (!resume) leaveNothing(folder, isMade)
    kept()
  }
  try {
    giveUp = await ownFolder(folder, options)
  } catch (error) {
    // It is another's, who may have made nothing in it yet.
    kept()
    throw error
  }
  // Looked at only now that no other process writes there.
  if (resume || (await readdir(folder)).every(isLeftOfUnbornRun)) return { folder, release }
  await giveUp()
  kept()
  throw new TrainerError('TRAIN_RUN_EXISTS', `${toUser(folder)} is not empty`)
}

interface Taken {
  readonly folder: string
  /** Whether the folder was not there before. */
  readonly isMade: boolean
}

async function takeNamed(folder: string): Promise<Taken> {
  return { folder, isMade: await makeNew(folder) }
}

async function makeNext(wanted: string): Promise<Taken> {
  for (let number = 1; ; number++) {
    const folder = number === 1 ? wanted : `${wanted}-${number}`
    if (await makeNew(folder)) return { folder, isMade: true }
  }
}

/** Whether a folder was made; false where there was something already. */
const makeNew = (folder: string): Promise<boolean> =>
  mkdir(folder).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'EEXIST') return false
      throw error
    },
  )

/** Removes what a run wrote that has not written down what it is, and its folder where it made that. At once, as it ends. */
function leaveNothing(folder: string, isMade: boolean): void {
  if (!existsSync(folder) || existsSync(join(folder, runFiles.data))) return
  const names = readdirSync(folder)
  for (const name of names.filter(isLeftOfUnbornRun)) rmSync(join(folder, name), { recursive: true, force: true })
  if (isMade && names.every(isLeftOfUnbornRun)) rmdirSync(folder)
}
