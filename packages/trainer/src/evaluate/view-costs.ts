import { readFile } from 'node:fs/promises'
import { toTensor } from '@flowers/shared/image/canvas'
import { decodeImage } from '@flowers/shared/image/decode'
import { centerCanvas } from '@flowers/shared/image/preprocess'
import type { Preprocessing } from '@flowers/shared/image/preprocessing'
import { scalesOf, type View } from '@flowers/shared/image/view'
import type { Network } from './network.ts'
import type { OnProgress } from '../console/bar.ts'

export interface ViewCostOptions {
  readonly preprocessing: Preprocessing
  readonly views: readonly View[]
  readonly onProgress?: OnProgress
  /** Milliseconds of a clock; that of the machine unless said. */
  readonly now?: () => number
}

export interface ViewCosts {
  /** Milliseconds a photo, by place of the view: the median over the photos. */
  readonly milliseconds: readonly number[]
  /** How many were timed. */
  readonly photos: number
}

/** So many give a steady median, in a small share of the time that scoring takes. */
const mostPhotos = 24

/**
 * What each view of a photo costs on this machine while nothing else is asked of the network: its pixels and one run of
 * the network for it alone, and for the first view of a scale the resizing to it. Decoding belongs to no view. The views
 * take turns at being first, so that none gains from what another leaves in the caches. Throws what `decodeImage` throws.
 */
export async function measureViewCosts(
  network: Network,
  photos: readonly { readonly path: string }[],
  { preprocessing, views, onProgress, now = () => performance.now() }: ViewCostOptions,
): Promise<ViewCosts> {
  const scales = scalesOf(views)
  const count = Math.min(mostPhotos, photos.length)
  const input = new Float32Array(3 * preprocessing.size ** 2)
  const taken = views.map((): number[] => [])
  // The first run of a batch of one also sets it up.
  await network.run(input, 1)
  for (let photo = 0; photo < count; photo++) {
    const image = await decodeImage(await readFile(photos[Math.floor((photo * photos.length) / count)]!.path))
    const resized = scales.map((scale) => {
      const started = now()
      const canvas = centerCanvas(image, preprocessing, scale)
      return { canvas, milliseconds: now() - started }
    })
    for (let turn = 0; turn < views.length; turn++) {
      const place = (photo + turn) % views.length
      const { flip, scale } = views[place]!
      const { canvas, milliseconds } = resized[scales.indexOf(scale)]!
      const isFirst = views.findIndex((view) => view.scale === scale) === place
      const started = now()
      toTensor(canvas, flip, preprocessing, input)
      await network.run(input, 1)
      taken[place]!.push(now() - started + (isFirst ? milliseconds : 0))
    }
    onProgress?.(photo + 1, count)
  }
  return { milliseconds: taken.map(median), photos: count }
}

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!
