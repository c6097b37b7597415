import type { Preprocessing } from '@flowers/shared/image/preprocessing'
import type { View } from '@flowers/shared/image/view'
import { drawnScenes, drawScene } from '../drawn/drawn-flowers.ts'
import type { Network } from './network.ts'
import { scorePhotos, type Scored } from './score-photos.ts'
import type { OnProgress } from '../console/bar.ts'

export interface DrawnOptions {
  readonly preprocessing: Preprocessing
  /** The first is the plain one, which is scored. */
  readonly views: readonly View[]
  readonly seed: number
  /** What was fitted to pictures cannot be measured with them: each part has its own. */
  readonly part: 'fit' | 'measure'
  /** Pictures of each kind, 20 unless said: 240 in all. */
  readonly each?: number | undefined
  readonly onProgress?: OnProgress
}

const usualEach = 20
const firstSeeds = { measure: 0, fit: 2 ** 40 }

/**
 * Scores the plain view of drawn pictures without a flower (stripes, boxes, streets, leaves, ...): one of each kind after the
 * other, as {@link drawnScenes} has them, drawn by the seed at the size of the input.
 */
export async function scoreDrawn(network: Network, options: DrawnOptions): Promise<Scored['photos']> {
  const { preprocessing, views, seed, part, each = usualEach, onProgress } = options
  const total = each * drawnScenes.length
  const first = firstSeeds[part] + seed * total
  const scenes = Array.from({ length: total }, (_, place) => {
    const scene = drawnScenes[place % drawnScenes.length]!
    return { id: `${scene} ${place}`, path: scene, index: -1, scene, seed: first + place }
  })
  const { photos } = await scorePhotos(network, scenes, {
    preprocessing,
    views: views.slice(0, 1),
    read: ({ scene, seed: own }) => drawScene(own, { scene, size: preprocessing.size }),
    onProgress,
  })
  return photos
}

/** The kind of the picture at a place of {@link scoreDrawn}. */
export const drawnKind = (place: number): string => drawnScenes[place % drawnScenes.length]!
