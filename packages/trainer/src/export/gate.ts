import type { Preprocessing } from '@flowers/shared/image/preprocessing'
import { oneView } from '@flowers/shared/image/view'
import { toTensor } from '@flowers/shared/image/canvas'
import type { Dataset, Sample } from '../dataset/dataset.ts'
import { Random } from '@flowers/shared/random'
import type { Network } from '../evaluate/network.ts'
import { decodePhotos } from '../evaluate/photos.ts'
import { compareLogits, requireParity, type LogitPair, type Parity } from './parity.ts'
import type { Reference } from './reference.ts'
import type { OnProgress } from '../console/bar.ts'
import { TrainerError } from '../errors.ts'

/** The gate holds an exported file against the trainer on at least this many photos where the data has them. */
const fewest = 64
const most = 512
/** Beyond the fewest, as many photos as hold this many pixels: 512 at 256 px and below, 101 at 576 px. */
const pixelBudget = 2 ** 25

/** Photos for the gate: validation photos drawn by the seed, and training photos where those are too few. */
export function gatePhotos(
  dataset: Pick<Dataset, 'train' | 'valid' | 'seed'>,
  size: number,
): { photos: Sample[]; fromTraining: number } {
  const wanted = Math.max(fewest, Math.min(most, Math.floor(pixelBudget / size ** 2)))
  const draw = (samples: readonly Sample[], count: number): Sample[] =>
    new Random(dataset.seed, 'parity').shuffle([...samples]).slice(0, Math.max(0, count))
  const valid = draw(dataset.valid, wanted)
  const train = draw(dataset.train, fewest - valid.length)
  return { photos: [...valid, ...train], fromTraining: train.length }
}

export interface GateOptions {
  readonly network: Network
  readonly reference: Reference
  readonly photos: readonly Sample[]
  readonly preprocessing: Preprocessing
  readonly onProgress?: OnProgress
}

/**
 * Holds an exported network against the trainer on real photos: the service's preprocessing, then exactly the same
 * pixels through both. Throws EXPORT_PARITY when they disagree, DATA_IMAGE_LOST when a photo cannot be read.
 */
export async function passGate({
  network,
  reference,
  photos,
  preprocessing,
  onProgress,
}: GateOptions): Promise<Parity> {
  const pairs: LogitPair[] = []
  const image = new Float32Array(3 * preprocessing.size ** 2)
  for await (const decoded of decodePhotos(photos, preprocessing, oneView)) {
    const { photo, canvases } = decoded
    if (canvases === null)
      throw new TrainerError('DATA_IMAGE_LOST', `"${photo.path}" cannot be read: ${decoded.reason}`)
    toTensor(canvases[0]!, 'none', preprocessing, image)
    const trainer = await reference.logits(image)
    const [exported] = await network.run(image, 1)
    pairs.push({ id: photo.id, trainer, exported: exported!.logits })
    onProgress?.(pairs.length, photos.length)
  }
  const parity = compareLogits(pairs)
  requireParity(parity)
  return parity
}
