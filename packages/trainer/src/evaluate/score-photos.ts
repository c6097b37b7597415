import type { Preprocessing } from '@flowers/shared/image/preprocessing'
import { softmax } from '@flowers/shared/model/views'
import type { View } from '@flowers/shared/image/view'
import type { Sample } from '../dataset/dataset.ts'
import type { ScoredPhoto } from '../measure/calibrate.ts'
import { ViewScorer } from './view-scorer.ts'
import type { Network, NetworkOutputs } from './network.ts'
import { decodePhotos } from './photos.ts'
import type { OnProgress } from '../console/bar.ts'
import { TrainerError } from '../errors.ts'

export interface ScoreOptions<T> {
  readonly preprocessing: Preprocessing
  readonly views: readonly View[]
  /** Gets the bytes of a sample; the file at its path unless said. */
  readonly read?: (sample: T) => Promise<Uint8Array>
  readonly onProgress?: OnProgress
}

export interface Scored {
  /** `plain`: what the network says of the first view, which is the plain one. */
  readonly photos: readonly (ScoredPhoto & { readonly id: string; readonly plain: NetworkOutputs })[]
  /** Photos that could not be read, with the reason. */
  readonly unreadable: readonly { readonly path: string; readonly reason: string }[]
}

/** Probabilities of every view of every sample that can be read, through the preprocessing of the service. */
export async function scorePhotos<T extends Pick<Sample, 'id' | 'index' | 'path'>>(
  network: Network,
  samples: readonly T[],
  options: ScoreOptions<T>,
): Promise<Scored> {
  const { preprocessing, views, read, onProgress } = options
  const scorer = new ViewScorer(network, preprocessing, views)
  const photos: Scored['photos'][number][] = []
  const unreadable: Scored['unreadable'][number][] = []
  for await (const decoded of decodePhotos(samples, preprocessing, views, read)) {
    const { id, index } = decoded.photo
    if (decoded.canvases === null) unreadable.push({ path: id, reason: decoded.reason })
    else {
      const outputs = await scorer.outputs(decoded.canvases, 0, views.length)
      const plain = outputs[0]!
      photos.push({ id, label: index, views: outputs.map(({ logits }) => softmax(logits)), known: plain.known, plain })
    }
    onProgress?.(photos.length + unreadable.length, samples.length)
  }
  return { photos, unreadable }
}

/** The same of samples that must all be there. Throws DATA_IMAGE_LOST for one that cannot be read. */
export async function scoreAllPhotos(
  network: Network,
  samples: readonly Sample[],
  options: ScoreOptions<Sample>,
): Promise<Scored['photos']> {
  const { photos, unreadable } = await scorePhotos(network, samples, options)
  const lost = unreadable[0]
  if (lost) throw new TrainerError('DATA_IMAGE_LOST', `"${lost.path}" cannot be read: ${lost.reason}`)
  return photos
}
