import { toUser } from './paths.ts'
import { TrainerError, type TrainerErrorCode } from '../errors.ts'

interface Words {
  readonly code: TrainerErrorCode
  /** What happened to a file or folder; `path` as a person would type it. */
  readonly say: (path: string) => string
}

const noPermission: Words = { code: 'SYSTEM_NO_PERMISSION', say: (path) => `you may not use ${path}` }

/** What the system says, in the words of the catalogue. */
const words: Readonly<Record<string, Words>> = {
  ENOSPC: { code: 'SYSTEM_DISK_FULL', say: (path) => `there is no room left for ${path}` },
  EDQUOT: {
    code: 'SYSTEM_DISK_FULL',
    say: (path) => `your share of the disk is used up; there is no room for ${path}`,
  },
  EFBIG: { code: 'SYSTEM_DISK_FULL', say: (path) => `${path} would be larger than the system allows` },
  EACCES: noPermission,
  EPERM: noPermission,
  EROFS: { code: 'SYSTEM_NO_PERMISSION', say: (path) => `${path} is on a disk that can only be read` },
  ENOTDIR: {
    code: 'SYSTEM_NO_PERMISSION',
    say: (path) => `${path} cannot be made: a file is where a folder should be`,
  },
  EMFILE: { code: 'SYSTEM_TOO_MANY_FILES', say: (path) => `${path} cannot be opened beside all others` },
  ENFILE: { code: 'SYSTEM_TOO_MANY_FILES', say: (path) => `${path} cannot be opened beside all others` },
  ENOENT: { code: 'SYSTEM_FILE', say: (path) => `${path} is not there` },
  EISDIR: { code: 'SYSTEM_FILE', say: (path) => `${path} is a folder, not a file` },
  ELOOP: { code: 'SYSTEM_FILE', say: (path) => `${path} is a link that leads back to itself` },
  EIO: { code: 'SYSTEM_FILE', say: (path) => `the disk fails at ${path}` },
}

/** An error of the system, of files and folders, as one of the catalogue; any other as it is. */
export function explained(failure: unknown): unknown {
  const { code, syscall, path } = failure as NodeJS.ErrnoException
  if (!(failure instanceof Error) || code === undefined || syscall === undefined) return failure
  // Files that are written have another name until they are whole, and folders are asked for by their dot.
  const place = path?.replace(/\/\.$/, '').replace(/\.[0-9a-f-]{36}\.tmp/, '')
  const said = place === undefined ? 'a file' : toUser(place)
  const known = words[code]
  if (known) return new TrainerError(known.code, known.say(said), { cause: failure })
  return new TrainerError('SYSTEM_FILE', `the system refuses ${said} (${code})`, { cause: failure })
}

const unanswered = 'the drive or the network does not answer'

/** What a system says of a file or folder that is to be read, after "because". */
const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'it is not there, or the link to it leads nowhere',
  EACCES: 'you have no right to read it',
  EPERM: 'you have no right to read it',
  ELOOP: 'it is a link that leads in a circle',
  EISDIR: 'it is a folder',
  ENOTDIR: 'it is not a folder',
  ENAMETOOLONG: 'its path is too long for the system',
  EIO: 'the drive reports an error',
  ESTALE: unanswered,
  ETIMEDOUT: unanswered,
  EHOSTDOWN: unanswered,
  ENOTCONN: unanswered,
}

/** Why something could not be read, without the system's codes and paths; of other errors the first line. */
export function reasonOf(error: unknown): string {
  const known = reasons[(error as NodeJS.ErrnoException | undefined)?.code ?? '']
  if (known !== undefined) return known
  const message = error instanceof Error ? error.message : String(error)
  return message.trim().split('\n')[0] ?? ''
}
