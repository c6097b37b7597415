import cliProgress from 'cli-progress'

/** In a log, where a bar cannot be drawn over, a line now and then. */
export const secondsBetweenLines = 30

/** A bar on stderr, gone when it is done. */
export const createBar = (format: string): cliProgress.SingleBar =>
  new cliProgress.SingleBar(
    { format, barsize: 20, hideCursor: true, clearOnComplete: true, linewrap: false, fps: 5 },
    cliProgress.Presets.shades_classic,
  )

/** Hears of counted work that is under way: how much is done, of how much. */
export type OnProgress = ((done: number, total: number) => void) | undefined

/** Says how far counted work is, a line every half minute. */
export function sayProgress(title: string, say: (line: string) => void): NonNullable<OnProgress> {
  let last = performance.now()
  return (done, total) => {
    if (performance.now() - last <= secondsBetweenLines * 1000) return
    last = performance.now()
    say(`${title}: ${done} of ${total}`)
  }
}

/** Shows counted work on stderr: a bar on a terminal, a line every half minute in a log. Call with every item done. */
export function showWork(title: string): NonNullable<OnProgress> {
  if (!process.stderr.isTTY) return sayProgress(title, console.error)
  const bar = createBar('{title} {bar} {value}/{total}')
  return (done, total) => {
    if (!bar.isActive) bar.start(total, done, { title })
    bar.update(done)
    if (done === total) bar.stop()
  }
}
