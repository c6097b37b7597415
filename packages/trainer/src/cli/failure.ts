import { FlowersError } from '@flowers/shared/errors'

const systemCodes: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full: free some space; what was saved before is intact',
  EACCES: 'no permission: choose a folder you may write to',
  EROFS: 'the folder is read-only: choose one you may write to',
  EMFILE: 'too many open files: raise the limit with `ulimit -n`',
}

/** Prints what went wrong and what to do, and returns the exit code. Only a defect of ours shows a stack. */
export function reportFailure(error: unknown): number {
  if (error instanceof FlowersError) {
    console.error(`${error.entry.title} (${error.code}): ${error.message}\n${error.entry.remedy}`)
    return error.entry.exit
  }
  const system = systemCodes[(error as NodeJS.ErrnoException).code ?? '']
  if (system) {
    console.error(`${(error as Error).message}\n${system}`)
    return 1
  }
  console.error(error)
  return 1
}
