import type { RgbImage } from '@flowers/shared/image/resample'
import { SummaryWriter } from '@flowers/tensorflow'
import type { EpochSummary } from '../console/progress.ts'

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
  readonly #writer: SummaryWriter

  /**
   * @param next the step that is trained next, where the run goes on from a saved state: what was written from it on is
   * trained and written again, and TensorBoard is told to forget it
   */
  constructor(folder: string, next: number | null) {
    this.#writer = new SummaryWriter(folder)
    if (next !== null) this.#writer.restart(next)
    this.#writer.flush()
  }

  epoch(step: number, numbers: Numbers): void {
    for (const [tag, key] of Object.entries(scalars)) {
      const value = numbers[key]
      if (value !== null) this.#writer.scalar(tag, step, value)
    }
    this.#writer.flush()
  }

  picture(tag: string, step: number, picture: RgbImage): void {
    this.#writer.image(tag, step, picture)
    this.#writer.flush()
  }

  close(): void {
    this.#writer.close()
  }
}
