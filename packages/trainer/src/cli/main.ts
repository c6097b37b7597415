import { buildProgram, requireDashes, withCommand } from './program.ts'
import { reportFailure } from './failure.ts'
import { Stopped, stoppable } from './stop.ts'

// A bar hides the cursor of the terminal while it is drawn.
process.once('exit', () => process.stderr.isTTY && process.stderr.write('\u001B[?25h'))

try {
  await stoppable(async (stop) => {
    const words = process.argv.slice(2)
    requireDashes(words, process.env)
    await buildProgram(stop).parseAsync(withCommand(words), { from: 'user' })
  })
} catch (error) {
  if (error instanceof Stopped) {
    console.log(error.farewell)
    // The work may still be at it.
    process.exit(error.exitCode)
  } else process.exitCode = reportFailure(error)
}
