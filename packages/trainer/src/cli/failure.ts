import { FlowersError } from '@flowers/shared/errors'
import { printable } from '@flowers/shared/printable'
import { TensorflowError } from '@flowers/tensorflow/errors'
import { CommanderError } from 'commander'
import { explained } from '../console/system-error.ts'

/** Prints what went wrong and what to do, and returns the exit code. Only a defect of ours shows a stack. */
export function reportFailure(failure: unknown): number {
  // What is wrong with the words, or the help, has been printed.
  if (failure instanceof CommanderError) return failure.exitCode === 0 ? 0 : 2
  const error = explained(failure)
  if (error instanceof FlowersError || error instanceof TensorflowError) {
    console.error(`${error.entry.title} (${error.code}): ${printable(error.message)}\n${error.entry.remedy}`)
    return ('exit' in error.entry && error.entry.exit) || 1
  }
  console.error(error)
  return 1
}
