import type { Random } from '@flowers/shared/random'
import { outlines } from './petals.ts'
import { between, hex, lighter, n, path, repeat, stroke, vary, type Colour } from './svg.ts'

/** A leaf from its base at (0, 0) to its tip at (0, -length). */
type Leaf = (random: Random, length: number, colour: Colour) => string

const rib = (length: number, colour: Colour): string =>
  stroke(`M0 0L0 ${n(-length * 0.9)}`, hex(lighter(colour, 12)), length * 0.025, 'stroke-opacity="0.7"')

export const leaves = {
  lance: (random, l, colour) => path(outlines.lance(l, l * between(random, [0.1, 0.16])), hex(colour)) + rib(l, colour),
  oval: (random, l, colour) => {
    const half = l * between(random, [0.22, 0.3])
    const veins = repeat(4, (index) => {
      const y = -l * (0.2 + 0.16 * index)
      return stroke(
        `M0 ${n(y)}l${n(half * 0.7)} ${n(-l * 0.14)}M0 ${n(y)}l${n(-half * 0.7)} ${n(-l * 0.14)}`,
        hex(lighter(colour, 9)),
        l * 0.015,
        'stroke-opacity="0.6"',
      )
    })
    return path(outlines.lance(l, half), hex(colour)) + rib(l, colour) + veins
  },
  heart: (random, l, colour) => {
    const w = l * between(random, [0.36, 0.46])
    const d = `M0 0C${n(w)} ${n(l * 0.2)} ${n(w * 1.5)} ${n(-l * 0.45)} 0 ${n(-l)}C${n(-w * 1.5)} ${n(-l * 0.45)} ${n(-w)} ${n(l * 0.2)} 0 0Z`
    return path(d, hex(colour)) + rib(l, colour)
  },
  blade: (random, l, colour) => {
    const w = l * between(random, [0.035, 0.06])
    const bend = l * between(random, [-0.3, 0.3])
    const d = `M${n(-w)} 0Q${n(-w)} ${n(-l * 0.6)} ${n(bend)} ${n(-l)}Q${n(w * 1.6)} ${n(-l * 0.5)} ${n(w)} 0Z`
    return path(d, hex(colour))
  },
  feather: (random, l, colour) =>
    stroke(`M0 0L0 ${n(-l)}`, hex(colour), l * 0.05) +
    repeat(6, (index) => {
      const y = -l * (0.15 + 0.14 * index)
      const reach = l * 0.3 * (1 - index / 8) * between(random, [0.8, 1.2])
      return stroke(
        `M0 ${n(y)}l${n(reach)} ${n(-reach * 0.6)}M0 ${n(y)}l${n(-reach)} ${n(-reach * 0.6)}`,
        hex(colour),
        l * 0.06,
      )
    }),
  pad: (random, l, colour) => {
    const r = l * 0.7
    const notch = between(random, [0, Math.PI * 2])
    const at = (angle: number) => `${n(Math.cos(angle) * r)} ${n(Math.sin(angle) * r * 0.62)}`
    const pad = path(`M0 0L${at(notch)}A${n(r)} ${n(r * 0.62)} 0 1 1 ${at(notch - 0.5)}Z`, hex(colour))
    return (
      pad +
      repeat(7, (index) =>
        stroke(`M0 0L${at(notch + 0.5 + index * 0.8)}`, hex(lighter(colour, 7)), r * 0.02, 'stroke-opacity="0.6"'),
      )
    )
  },
} as const satisfies Record<string, Leaf>

export type LeafShape = keyof typeof leaves

/** A leaf of a shape, its colour varied. */
export function drawLeaf(random: Random, shape: LeafShape, length: number, colour: Colour): string {
  return leaves[shape](random, length, vary(random, colour, [10, 10, 8]))
}
