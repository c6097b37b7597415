import type { Preprocessing } from '@flowers/shared/image/preprocessing'
import type { View } from '@flowers/shared/image/view'
import { drawnScenes, drawScene } from '../drawn/drawn-flowers.ts'
import { clopperPearson } from '../measure/binomial.ts'
import { level, type MeasuredShare } from '../measure/bootstrap.ts'
import { abstains, answerOf, type Calibration, type ScoredPhoto } from '../measure/calibrate.ts'
import type { Network } from './network.ts'
import { scorePhotos } from './score-photos.ts'
import type { OnProgress } from '../console/bar.ts'

/** How often nothing is named where there is no flower. */
export interface NonFlowers {
  readonly exact: MeasuredShare
  readonly none: MeasuredShare
  /** By kind of picture, with `exact`; the least often first. */
  readonly kinds: readonly { readonly kind: string; readonly share: number }[]
}

export interface NonFlowersOptions {
  readonly preprocessing: Preprocessing
  readonly views: readonly View[]
  readonly seed: number
  /** What abstention was chosen by cannot measure it: each part has pictures of its own. */
  readonly part: 'fit' | 'measure'
  /** Pictures of each kind, 20 unless said: 240 in all. */
  readonly each?: number | undefined
  readonly onProgress?: OnProgress
}

const usualEach = 20

/**
 * Probabilities of every view of drawn pictures without a flower (stripes, boxes, streets, leaves, ...): one of each
 * kind after the other, drawn by the seed at the size of the input.
 */
export async function scoreNonFlowers(network: Network, options: NonFlowersOptions): Promise<readonly ScoredPhoto[]> {
  const { preprocessing, views, seed, part, each = usualEach, onProgress } = options
  const total = each * drawnScenes.length
  const first = (2 * seed + Number(part === 'measure')) * total
  const scenes = Array.from({ length: total }, (_, place) => {
    const scene = drawnScenes[place % drawnScenes.length]!
    return { id: `${scene} ${place}`, path: scene, index: -1, scene, seed: first + place }
  })
  const { photos } = await scorePhotos(network, scenes, {
    preprocessing,
    views,
    read: ({ scene, seed: own }) => drawScene(own, { scene, size: preprocessing.size }),
    onProgress,
  })
  return photos
}

/** Shares of pictures of {@link scoreNonFlowers} that are abstained from, with the exact interval. */
export function nonFlowersOf(photos: readonly ScoredPhoto[], calibration: Calibration): NonFlowers {
  const abstained = (policy: 'exact' | 'none'): boolean[] =>
    photos.map((photo) => abstains(answerOf(photo, policy, calibration), calibration))
  const exact = abstained('exact')
  const kinds = drawnScenes.map((kind, first) => {
    const own = exact.filter((_, place) => place % drawnScenes.length === first)
    return { kind, share: own.filter(Boolean).length / own.length }
  })
  return {
    exact: shareOf(exact),
    none: shareOf(abstained('none')),
    kinds: kinds.toSorted((a, b) => a.share - b.share),
  }
}

function shareOf(hits: readonly boolean[]): MeasuredShare {
  const total = hits.filter(Boolean).length
  return { value: total / hits.length, ...clopperPearson(total, hits.length, level), count: hits.length }
}
