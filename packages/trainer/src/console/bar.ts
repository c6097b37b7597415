import cliProgress from 'cli-progress'

/** In a log, where a bar cannot be drawn over, a line now and then. */
export const secondsBetweenLines = 30

/** A bar on stderr, gone when it is done. */
export const createBar = (format: string): cliProgress.SingleBar =>
  new cliProgress.SingleBar(
    { format, barsize: 20, hideCursor: true, clearOnComplete: true, linewrap: false, fps: 5 },
    cliProgress.Presets.shades_classic,
  )

/** Shows counted work on stderr: a bar on a terminal, a line every half minute in a log. Call with every item done. */
export function showWork(title: string): (done: number, total: number) => void {
  const bar = process.stderr.isTTY ? createBar('{title} {bar} {value}/{total}') : null
  let last = performance.now()
  return (done, total) => {
    if (bar) {
      if (!bar.isActive) bar.start(total, done, { title })
      bar.update(done)
      if (done === total) bar.stop()
    } else if (performance.now() - last > secondsBetweenLines * 1000) {
      last = performance.now()
      console.error(`${title}: ${done} of ${total}`)
    }
  }
}
