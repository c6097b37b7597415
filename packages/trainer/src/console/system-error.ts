const unanswered = 'the drive or the network does not answer'

/** What a system says of a file or folder that is to be read, after "because". */
const words: Readonly<Record<string, string>> = {
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
  const known = words[(error as NodeJS.ErrnoException | undefined)?.code ?? '']
  if (known !== undefined) return known
  const message = error instanceof Error ? error.message : String(error)
  return message.trim().split('\n')[0] ?? ''
}
