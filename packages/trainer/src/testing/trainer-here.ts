import { vi } from 'vitest'
import { reportFailure } from '../cli/failure.ts'
import { buildProgram, withCommand } from '../cli/program.ts'

/**
 * Runs a command line within this process, for those that end before TensorFlow is needed: without the start of a process.
 * `output` is what it printed on both streams. The person stands in the folder INIT_CWD.
 */
export async function trainerHere(...args: readonly string[]): Promise<{ code: number; output: string }> {
  let output = ''
  const spies = [
    ...(['log', 'error'] as const).map((stream) =>
      vi.spyOn(console, stream).mockImplementation((line) => void (output += `${String(line)}\n`)),
    ),
    ...[process.stdout, process.stderr].map((stream) =>
      vi.spyOn(stream, 'write').mockImplementation((text) => {
        output += String(text)
        return true
      }),
    ),
  ]
  try {
    await buildProgram().parseAsync(withCommand(args), { from: 'user' })
    return { code: 0, output: output.trimEnd() }
  } catch (error) {
    const code = reportFailure(error)
    return { code, output: output.trimEnd() }
  } finally {
    for (const spy of spies) spy.mockRestore()
  }
}
