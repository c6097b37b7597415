import { toTensor, type Canvas } from '@flowers/shared/image/canvas'
import type { Preprocessing } from '@flowers/shared/image/preprocessing'
import {
  earliestStop,
  runViews,
  softmax,
  type FastMargin,
  type ViewPolicy,
  type ViewsResult,
} from '@flowers/shared/model/views'
import { scalesOf, type View } from '@flowers/shared/image/view'
import type { Network } from './network.ts'

/** More pixels in one batch save no time on a CPU and cost memory: three views of 576 px. */
const mostPixels = 2 ** 20

/** Scores the views of one photo at a time by a network. */
export class ViewScorer {
  readonly #network: Network
  readonly #preprocessing: Preprocessing
  readonly #views: readonly View[]
  readonly #scales: readonly number[]
  readonly #images: Float32Array
  readonly #most: number

  constructor(network: Network, preprocessing: Preprocessing, views: readonly View[]) {
    this.#network = network
    this.#preprocessing = preprocessing
    this.#views = views
    this.#scales = scalesOf(views)
    this.#most = Math.max(1, Math.min(views.length, Math.floor(mostPixels / preprocessing.size ** 2)))
    this.#images = new Float32Array(this.#most * 3 * preprocessing.size ** 2)
  }

  /** Logits of the views from `first` to before `end`, one row each; canvases as `decodeViews` gives them for their scales. */
  async logits(canvases: readonly Canvas[], first: number, end: number): Promise<Float32Array[]> {
    const rows: Float32Array[] = []
    for (let start = first; start < end; start += this.#most) {
      const batch = this.#views.slice(start, Math.min(end, start + this.#most))
      for (const [place, view] of batch.entries()) {
        const canvas = canvases[this.#scales.indexOf(view.scale)] as Canvas
        toTensor(canvas, view.flip, this.#preprocessing, this.#images, place * 3 * this.#preprocessing.size ** 2)
      }
      rows.push(...(await this.#network.run(this.#images, batch.length)))
    }
    return rows
  }

  /** Mean probability over as many views as the policy asks for. Views that it cannot stop before run as one batch. */
  async answer(canvases: readonly Canvas[], policy: ViewPolicy, fast: FastMargin | null): Promise<ViewsResult> {
    const of = this.#views.length
    let ready = (await this.logits(canvases, 0, earliestStop(policy, of, fast))).map(softmax)
    return runViews({ policy, of, fast }, async (index) => {
      if (index >= ready.length) ready = [...ready, ...(await this.logits(canvases, index, index + 1)).map(softmax)]
      return ready[index] as Float64Array
    })
  }
}
