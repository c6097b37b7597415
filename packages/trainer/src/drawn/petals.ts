import type { Random } from '@flowers/shared/random'
import { n } from './svg.ts'

/**
 * Outline of a petal from its base at (0, 0) to its tip at (0, -length), as an SVG path; `half` is half its width.
 * The random numbers make the edge uneven, where the petal has an uneven edge.
 */
export type Outline = (length: number, half: number, random: Random) => string

export const outlines = {
  /** Broad and blunt: buttercup, rose. */
  round: (l, w) =>
    `M0 0C${n(w * 1.5)} ${n(-l * 0.25)} ${n(w * 1.25)} ${n(-l)} 0 ${n(-l)}C${n(-w * 1.25)} ${n(-l)} ${n(-w * 1.5)} ${n(-l * 0.25)} 0 0Z`,
  /** Long, with parallel edges: daisy. */
  strap: (l, w) =>
    `M${n(-w * 0.4)} 0C${n(-w)} ${n(-l * 0.4)} ${n(-w * 1.1)} ${n(-l * 0.85)} ${n(-w * 0.5)} ${n(-l * 0.97)}Q0 ${n(-l * 1.03)} ${n(w * 0.5)} ${n(-l * 0.97)}C${n(w * 1.1)} ${n(-l * 0.85)} ${n(w)} ${n(-l * 0.4)} ${n(w * 0.4)} 0Z`,
  /** Pointed at the tip: sunflower, water lily. */
  lance: (l, w) =>
    `M0 0C${n(w * 1.35)} ${n(-l * 0.3)} ${n(w * 1.2)} ${n(-l * 0.7)} 0 ${n(-l)}C${n(-w * 1.2)} ${n(-l * 0.7)} ${n(-w * 1.35)} ${n(-l * 0.3)} 0 0Z`,
  /** A notch in the tip: cherry. */
  notched: (l, w) =>
    `M0 0C${n(w * 1.4)} ${n(-l * 0.25)} ${n(w * 1.3)} ${n(-l)} ${n(w * 0.35)} ${n(-l)}L0 ${n(-l * 0.86)}L${n(-w * 0.35)} ${n(-l)}C${n(-w * 1.3)} ${n(-l)} ${n(-w * 1.4)} ${n(-l * 0.25)} 0 0Z`,
  /** Widening to a toothed rim: cornflower, carnation. */
  toothed: (l, w, random) => {
    const teeth = 5
    let d = `M0 0L${n(-w)} ${n(-l * 0.8)}`
    for (let tooth = 0; tooth < teeth; tooth++) {
      const x = -w + (2 * w * (tooth + 0.5)) / teeth
      const high = l * random.between(0.95, 1.08)
      d += `L${n(x)} ${n(-high)}L${n(-w + (2 * w * (tooth + 1)) / teeth)} ${n(-l * 0.8)}`
    }
    return `${d}Z`
  },
  /** A fan with a crumpled rim: poppy, hibiscus. */
  crumpled: (l, w, random) => {
    const folds = 7
    let d = `M0 0Q${n(-w * 0.9)} ${n(-l * 0.2)} ${n(-w)} ${n(-l * 0.62)}`
    for (let fold = 1; fold <= folds; fold++) {
      const angle = Math.PI - (Math.PI * fold) / folds
      const reach = fold === folds ? 1 : random.between(0.9, 1.08)
      const x = Math.cos(angle) * w * reach
      const y = -l * 0.62 - Math.sin(angle) * l * 0.38 * reach
      const middle = angle + Math.PI / (2 * folds)
      const bulge = random.between(1.02, 1.16)
      d += `Q${n(Math.cos(middle) * w * bulge)} ${n(-l * 0.62 - Math.sin(middle) * l * 0.38 * bulge)} ${n(x)} ${n(y)}`
    }
    return `${d}Q${n(w * 0.9)} ${n(-l * 0.2)} 0 0Z`
  },
} as const satisfies Record<string, Outline>

export type PetalShape = keyof typeof outlines
