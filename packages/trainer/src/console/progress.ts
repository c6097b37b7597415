import { printable } from '@flowers/shared/printable'
import { createBar, secondsBetweenLines } from './bar.ts'
import { duration, percent } from './format.ts'

/** At the last update, of what learns; 0 for a backbone of which nothing does. */
interface Rates {
  /** Of the head. */
  readonly learningRate: number
  readonly backboneLearningRate: number
}

export interface StepProgress extends Rates {
  readonly done: number
  readonly of: number
  readonly imagesPerSecond: number
  readonly loss: number
  readonly accuracy: number
  /** Seconds until the phase ends if every epoch runs; null while that cannot be told. */
  readonly remaining: number | null
}

export interface EpochSummary extends Rates {
  readonly phase: string
  readonly epoch: number
  readonly epochs: number
  readonly loss: number
  readonly trainAccuracy: number
  readonly validLoss: number
  readonly validAccuracy: number
  /** With test-time augmentation, where this epoch had it. */
  readonly ttaAccuracy: number | null
  readonly best: boolean
  readonly seconds: number
}

/** Where a person sees a run go on. */
export interface Progress {
  message(line: string): void
  epochStart(phase: string, epoch: number, epochs: number, steps: number): void
  step(progress: StepProgress): void
  epochEnd(summary: EpochSummary): void
  close(): void
}

/** `2.0e-3/3.0e-4`: head, backbone. */
const rates = ({ learningRate, backboneLearningRate }: Rates): string =>
  [learningRate, backboneLearningRate].map((rate) => (rate === 0 ? '0' : rate.toExponential(1))).join('/')

const summaryLine = (summary: EpochSummary): string =>
  `${summary.phase} ${String(summary.epoch + 1).padStart(String(summary.epochs).length)}/${summary.epochs}` +
  `  loss ${summary.loss.toFixed(3)}  train ${percent(summary.trainAccuracy)}` +
  `  valid ${percent(summary.validAccuracy)}${summary.best ? ' *' : '  '}${summary.ttaAccuracy === null ? '' : `  TTA ${percent(summary.ttaAccuracy)}`}  loss ${summary.validLoss.toFixed(3)}` +
  `  lr ${rates(summary)}  ${duration(summary.seconds)}`

/** A live bar for the epoch under way, and a line for each that is done. */
class TerminalProgress implements Progress {
  readonly #bar = createBar(
    '{title} {bar} {value}/{total}  {speed} images/s  loss {loss}  accuracy {accuracy}  lr {rates}  {left} left in this phase',
  )

  message(line: string): void {
    this.#bar.stop()
    console.log(printable(line))
  }

  epochStart(phase: string, epoch: number, epochs: number, steps: number): void {
    this.#bar.start(steps, 0, {
      title: `${phase} ${epoch + 1}/${epochs}`,
      speed: '-',
      loss: '-',
      accuracy: '-',
      rates: '-',
      left: '-',
    })
  }

  step(progress: StepProgress): void {
    this.#bar.update(progress.done, {
      speed: progress.imagesPerSecond.toFixed(0),
      loss: progress.loss.toFixed(3),
      accuracy: percent(progress.accuracy),
      rates: rates(progress),
      left: progress.remaining === null ? '-' : duration(progress.remaining),
    })
  }

  epochEnd(summary: EpochSummary): void {
    this.#bar.stop()
    console.log(summaryLine(summary))
  }

  close(): void {
    this.#bar.stop()
  }
}

/** Plain lines for a log: one an epoch, and one every half minute within a long one. */
class LineProgress implements Progress {
  #title = ''
  #last = performance.now()

  message(line: string): void {
    console.log(printable(line))
  }

  epochStart(phase: string, epoch: number, epochs: number): void {
    this.#title = `${phase} ${epoch + 1}/${epochs}`
  }

  step(progress: StepProgress): void {
    if (performance.now() - this.#last < secondsBetweenLines * 1000) return
    this.#last = performance.now()
    console.log(
      `${this.#title} step ${progress.done}/${progress.of}  ${progress.imagesPerSecond.toFixed(0)} images/s` +
        `  loss ${progress.loss.toFixed(3)}  lr ${rates(progress)}${progress.remaining === null ? '' : `  ${duration(progress.remaining)} left in this phase`}`,
    )
  }

  epochEnd(summary: EpochSummary): void {
    this.#last = performance.now()
    console.log(summaryLine(summary))
  }

  close(): void {}
}

export function createProgress(terminal: boolean): Progress {
  return terminal ? new TerminalProgress() : new LineProgress()
}
