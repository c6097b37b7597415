import { FlowersError } from '@flowers/shared/errors'
import { printable } from '@flowers/shared/printable'
import { TensorflowError } from '@flowers/tensorflow/errors'
import { TrainerError, type TrainerErrorCode } from '../errors.ts'

/** What the system says, in the words of the catalogue. */
const systemCodes: Readonly<Record<string, TrainerErrorCode>> = {
  ENOSPC: 'SYSTEM_DISK_FULL',
  EDQUOT: 'SYSTEM_DISK_FULL',
  EFBIG: 'SYSTEM_DISK_FULL',
  EACCES: 'SYSTEM_NO_PERMISSION',
  EPERM: 'SYSTEM_NO_PERMISSION',
  EROFS: 'SYSTEM_NO_PERMISSION',
  ENOTDIR: 'SYSTEM_NO_PERMISSION',
  EMFILE: 'SYSTEM_TOO_MANY_FILES',
}

/** Prints what went wrong and what to do, and returns the exit code. Only a defect of ours shows a stack. */
export function reportFailure(failure: unknown): number {
  const system = systemCodes[(failure as NodeJS.ErrnoException).code ?? '']
  const error = system ? new TrainerError(system, (failure as Error).message) : failure
  if (error instanceof FlowersError || error instanceof TensorflowError) {
    console.error(`${error.entry.title} (${error.code}): ${printable(error.message)}\n${error.entry.remedy}`)
    return ('exit' in error.entry && error.entry.exit) || 1
  }
  console.error(error)
  return 1
}
