import { CommanderError } from 'commander'
import { buildProgram, withCommand } from './program.ts'
import { reportFailure } from './failure.ts'
import { Stopped } from './stop.ts'

try {
  await buildProgram().parseAsync(withCommand(process.argv.slice(2)), { from: 'user' })
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2
  else if (error instanceof Stopped) process.exitCode = error.exitCode
  else process.exitCode = reportFailure(error)
}
