/** Why a run ends early: a signal, after everything is saved. */
export class Stopped extends Error {
  readonly exitCode: number

  constructor(exitCode: number) {
    super('stopped')
    this.name = 'Stopped'
    this.exitCode = exitCode
  }
}

/** What is said to one who asks to stop. */
export const stopping = (training: boolean): string =>
  training
    ? 'stopping after this step, once everything is saved (again to stop at once)'
    : 'stopping before the training begins (again to stop at once)'

/**
 * A signal that aborts when the person (Ctrl-C, exit code 130) or the system (SIGTERM, 143) asks to stop. A second
 * Ctrl-C ends the process at once. `onStop` is told whether `beginTraining` was called: before, there is nothing to save.
 */
export function stopSignal(onStop: (training: boolean) => void): {
  signal: AbortSignal
  beginTraining: () => void
  release: () => void
} {
  const controller = new AbortController()
  let training = false
  const stop = (exitCode: number) => () => {
    if (controller.signal.aborted) process.exit(exitCode)
    onStop(training)
    controller.abort(new Stopped(exitCode))
  }
  const handlers = { SIGINT: stop(130), SIGTERM: stop(143) } as const
  for (const [name, handler] of Object.entries(handlers)) process.on(name, handler)
  return {
    signal: controller.signal,
    beginTraining: () => {
      training = true
    },
    release: () => {
      for (const [name, handler] of Object.entries(handlers)) process.off(name, handler)
    },
  }
}
