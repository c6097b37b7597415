/** Why a run ends early: a signal, after everything is saved. */
export class Stopped extends Error {
  readonly exitCode: number

  constructor(exitCode: number) {
    super('stopped')
    this.name = 'Stopped'
    this.exitCode = exitCode
  }
}

/**
 * A signal that aborts when the person (Ctrl-C, exit code 130) or the system (SIGTERM, 143) asks to stop. A second
 * Ctrl-C ends the process at once.
 */
export function stopSignal(onStop: () => void): { signal: AbortSignal; release: () => void } {
  const controller = new AbortController()
  const stop = (exitCode: number) => () => {
    if (controller.signal.aborted) process.exit(exitCode)
    onStop()
    controller.abort(new Stopped(exitCode))
  }
  const handlers = { SIGINT: stop(130), SIGTERM: stop(143) } as const
  for (const [name, handler] of Object.entries(handlers)) process.on(name, handler)
  return {
    signal: controller.signal,
    release: () => {
      for (const [name, handler] of Object.entries(handlers)) process.off(name, handler)
    },
  }
}
