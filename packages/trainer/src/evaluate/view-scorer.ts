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
import type { Network, NetworkOutputs } from './network.ts'

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

  /** What the network says of the views from `first` to before `end`; canvases as `decodeViews` gives them for their scales. */
  async outputs(canvases: readonly Canvas[], first: number, end: number): Promise<NetworkOutputs[]> {
    const rows: NetworkOutputs[] = []
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

  /**
   * Mean probability over as many views as the policy asks for, and `known` of the plain view. Views that the policy cannot
   * stop before run as one batch.
   */
  async answer(
    canvases: readonly Canvas[],
    policy: ViewPolicy,
    fast: FastMargin | null,
  ): Promise<ViewsResult & Pick<NetworkOutputs, 'known'>> {
    const of = this.#views.length
    const ready = await this.outputs(canvases, 0, earliestStop(policy, of, fast))
    const { known } = ready[0]!
    const result = await runViews({ policy, of, fast }, async (index) => {
      if (index >= ready.length) ready.push(...(await this.outputs(canvases, index, index + 1)))
      return softmax(ready[index]!.logits)
    })
    return { ...result, known }
  }
}
