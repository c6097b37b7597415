import type { ExplainAnswer } from '@flowers/client/client'
import { heatMap } from '@flowers/shared/image/heat-map'
import { byId } from './dom.ts'
import { flowerName } from './words.ts'

/** Pixels a side; the browser enlarges it. */
const drawn = 160

/** The layer over the picture that shows where the model looked. */
export class LookedLayer {
  readonly #canvas = byId('looked', HTMLCanvasElement)
  readonly #image = byId('shown', HTMLImageElement)
  readonly #line = byId('lookedline', HTMLElement)
  readonly #for = byId('lookedfor', HTMLElement)
  readonly #switch = byId('looking', HTMLInputElement)

  constructor() {
    this.#switch.addEventListener('change', () => this.#canvas.classList.toggle('off', !this.#switch.checked))
  }

  /** Nothing is shown until the next map. */
  clear(): void {
    this.#canvas.hidden = true
    this.#line.hidden = true
  }

  /** Shows the map of one class over the middle square that the model saw. */
  show({ crop, height, width }: ExplainAnswer, { label, values }: ExplainAnswer['maps'][number]): void {
    const { naturalWidth, naturalHeight } = this.#image
    if (naturalWidth === 0) return
    this.#canvas.width = drawn
    this.#canvas.height = drawn
    const map = new ImageData(heatMap({ values, height, width }, drawn), drawn, drawn)
    this.#canvas.getContext('2d')!.putImageData(map, 0, 0)
    const side = crop * Math.min(naturalWidth, naturalHeight)
    this.#canvas.style.setProperty('width', `${(100 * side) / naturalWidth}%`)
    this.#canvas.style.setProperty('height', `${(100 * side) / naturalHeight}%`)
    this.#for.textContent = `What spoke for ${flowerName(label).toLowerCase()}; choose another name to see what spoke for that.`
    this.#canvas.hidden = false
    this.#line.hidden = false
  }
}
