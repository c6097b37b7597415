/** Why a command ends early: somebody or something asked for it. */
export class Stopped extends Error {
  readonly exitCode: number
  /** The last line of the command. */
  readonly farewell: string

  constructor(exitCode: number, farewell: string) {
    super('stopped')
    this.name = 'Stopped'
    this.exitCode = exitCode
    this.farewell = farewell
  }
}

/** How the work of a command hears that it shall end. */
export interface Stop {
  /** Its reason is a `Stopped`. */
  readonly signal: AbortSignal
  /**
   * Whether the work has something to save first: it then ends soon after the signal, by rejecting with its reason. Else
   * the command ends at once, whatever it is at, and `atExit` undoes what is half done. False at first.
   */
  saves: boolean
  /** The last line of a command that is stopped. */
  farewell: string
}

/** A stop that never comes. */
export const noStop = (): Stop => ({ signal: new AbortController().signal, saves: false, farewell: '' })

interface Writing {
  on(event: 'error', listener: (error: Error) => void): unknown
}

/** What is listened to: the process, or what stands in for it. */
export interface StopSource {
  on(event: NodeJS.Signals, listener: () => void): unknown
  exit(code: number): void
  readonly stdout: Writing
  readonly stderr: Writing
}

/**
 * Does the work of a command, and ends it for Ctrl-C (exit code 130), and for SIGTERM, a terminal that is closed and a
 * pipe that nobody reads any more (143): rejects with `Stopped`. A second Ctrl-C or SIGTERM ends the process without
 * waiting for anything.
 */
export function stoppable(work: (stop: Stop) => Promise<void>, source: StopSource = process): Promise<void> {
  return new Promise((resolve, reject) => {
    const controller = new AbortController()
    const { signal } = controller
    const stop: Stop = { signal, saves: false, farewell: 'stopped; begin again with the same command' }
    const end = (exitCode: number): void => {
      if (signal.aborted) return
      if (stop.saves) console.log('stopping after this step, once everything is saved (again to stop at once)')
      controller.abort(new Stopped(exitCode, stop.farewell))
      if (!stop.saves) reject(signal.reason as Stopped)
    }
    for (const [name, exitCode] of [
      ['SIGINT', 130],
      ['SIGTERM', 143],
    ] as const)
      source.on(name, () => (signal.aborted ? source.exit(exitCode) : end(exitCode)))
    // A terminal that is closed sends it twice, and what is written to it fails from then on.
    source.on('SIGHUP', () => end(143))
    for (const stream of [source.stdout, source.stderr]) stream.on('error', () => end(143))
    work(stop).then(resolve, reject)
  })
}
