import type { RgbImage } from '@flowers/shared/image/resample'
import { SummaryWriter } from '@flowers/tensorflow'
import { TensorflowError } from '@flowers/tensorflow/errors'
import { toUser } from '../console/paths.ts'
import type { EpochSummary } from '../console/progress.ts'
import { TrainerError } from '../errors.ts'

type Numbers = Pick<
  EpochSummary,
  'loss' | 'trainAccuracy' | 'validLoss' | 'validAccuracy' | 'ttaAccuracy' | 'learningRate' | 'backboneLearningRate'
> & { readonly imagesPerSecond: number }

/** Tags of an epoch's scalars. */
const scalars: Readonly<Record<string, keyof Numbers>> = {
  'train/loss': 'loss',
  'train/accuracy': 'trainAccuracy',
  'valid/loss': 'validLoss',
  'valid/accuracy': 'validAccuracy',
  'valid/tta_accuracy': 'ttaAccuracy',
  learning_rate: 'learningRate',
  learning_rate_backbone: 'backboneLearningRate',
  images_per_second: 'imagesPerSecond',
}

/**
 * The run as TensorBoard shows it, a file `events.out.tfevents.*` of the run folder for every start. A step is an
 * optimizer step of the whole run, from 0; an epoch stands at its last.
 */
export class TensorBoard {
  readonly #folder: string
  readonly #writer: SummaryWriter

  /**
   * @param next the step that is trained next, where the run goes on from a saved state: what was written from it on is
   * trained and written again, and TensorBoard is told to forget it
   */
  constructor(folder: string, next: number | null) {
    this.#folder = folder
    this.#writer = this.#written(() => new SummaryWriter(folder))
    this.#written(() => {
      if (next !== null) this.#writer.restart(next)
      this.#writer.flush()
    })
  }

  epoch(step: number, numbers: Numbers): void {
    this.#written(() => {
      for (const [tag, key] of Object.entries(scalars)) {
        const value = numbers[key]
        if (value !== null) this.#writer.scalar(tag, step, value)
      }
      this.#writer.flush()
    })
  }

  picture(tag: string, step: number, picture: RgbImage): void {
    this.#written(() => {
      this.#writer.image(tag, step, picture)
      this.#writer.flush()
    })
  }

  close(): void {
    this.#written(() => this.#writer.close())
  }

  /** What TensorFlow says of a file that it cannot write, in the words for any other file. */
  #written<T>(write: () => T): T {
    try {
      return write()
    } catch (cause) {
      if (!(cause instanceof TensorflowError) || cause.code !== 'TENSORFLOW_OP_REFUSED') throw cause
      const isFull = /no space|quota|too large/i.test(cause.message)
      const code = isFull ? 'SYSTEM_DISK_FULL' : 'SYSTEM_NO_PERMISSION'
      throw new TrainerError(code, `the file for TensorBoard in ${toUser(this.#folder)} cannot be written`, { cause })
    }
  }
}
