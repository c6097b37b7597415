import type { Random } from '@flowers/shared/random'
import { outlines } from './petals.ts'
import {
  between,
  circle,
  count,
  ellipse,
  group,
  hex,
  hsl,
  n,
  path,
  rectangle,
  repeat,
  stroke,
  vary,
  type Colour,
  type Definitions,
  type Range,
} from './svg.ts'

type Draw = (random: Random, definitions: Definitions) => string

const whole = (fill: string): string => rectangle(-20, -20, 140, 140, fill)

function wash(random: Random, definitions: Definitions, top: Colour, bottom: Colour): string {
  const lean = random.between(-30, 30)
  return whole(
    definitions.linear([50 - lean, 0], [50 + lean, 100], { 0: vary(random, top), 100: vary(random, bottom) }),
  )
}

function blades(random: Random, total: Range, colour: Colour, height: Range, width: Range): string {
  return repeat(count(random, total), () => {
    const x = random.between(-5, 105)
    const y = random.between(60, 115)
    const reach = between(random, height)
    const bend = random.between(-12, 12)
    return stroke(
      `M${n(x)} ${n(y)}q${n(bend * 0.2)} ${n(-reach * 0.6)} ${n(bend)} ${n(-reach)}`,
      hex(vary(random, colour, [14, 12, 12])),
      between(random, width),
    )
  })
}

function spots(random: Random, total: Range, colour: Colour, radius: Range, opacity: Range): string {
  return repeat(count(random, total), () =>
    circle(
      random.between(0, 100),
      random.between(0, 100),
      between(random, radius),
      hex(vary(random, colour, [20, 15, 12])),
      `fill-opacity="${n(between(random, opacity))}"`,
    ),
  )
}

/** Ellipses somewhere across the picture; ranges are those of their height in it and of their half axes. */
function blobs(
  random: Random,
  total: Range,
  { y, rx, ry }: { y: Range; rx: Range; ry: Range },
  fill: () => string,
  attributes: string,
): string {
  return repeat(count(random, total), () =>
    ellipse(random.between(0, 100), between(random, y), between(random, rx), between(random, ry), fill(), attributes),
  )
}

function foliage(random: Random, total: Range, colour: Colour, length: Range): string {
  return repeat(count(random, total), () => {
    const size = between(random, length)
    const place = `translate(${n(random.between(-5, 105))} ${n(random.between(0, 110))}) rotate(${n(random.between(0, 360))})`
    return group(
      place,
      path(outlines.lance(size, size * random.between(0.2, 0.32)), hex(vary(random, colour, [12, 12, 9]))),
    )
  })
}

function bands(random: Random, colours: readonly Colour[], from: number, to: number, total: number): string {
  return repeat(total, (index) => {
    const y = from + ((to - from) * index) / total
    const height = (to - from) / total + 1
    return rectangle(-20, y, 140, height, hex(vary(random, colours[index % colours.length] as Colour, [6, 8, 5])))
  })
}

/** What is behind the flowers, drawn in focus; the picture blurs it. */
export const backdrops = {
  meadow: (random, d) =>
    wash(random, d, [85, 45, 52], [110, 45, 28]) +
    blades(random, [40, 70], [100, 45, 38], [20, 60], [0.6, 1.8]) +
    spots(random, [4, 14], [50, 60, 75], [0.6, 1.8], [0.5, 0.9]),
  sky: (random, d) =>
    wash(random, d, [212, 70, 52], [205, 60, 80]) +
    repeat(count(random, [1, 4]), () => {
      const x = random.between(0, 100)
      const y = random.between(5, 70)
      return repeat(5, () =>
        ellipse(
          x + random.between(-14, 14),
          y + random.between(-4, 4),
          random.between(7, 16),
          random.between(4, 8),
          '#ffffff',
          'fill-opacity="0.6"',
        ),
      )
    }),
  field: (random, d) =>
    wash(random, d, [205, 45, 76], [90, 35, 45]) +
    bands(random, [hsl(95, 40, 38), hsl(105, 35, 30)], random.between(35, 50), 120, 7) +
    blades(random, [20, 40], [90, 40, 42], [10, 30], [0.6, 1.4]),
  hedge: (random, d) =>
    wash(random, d, [130, 40, 16], [120, 40, 10]) + foliage(random, [40, 60], [125, 42, 20], [9, 20]),
  wall: (random) => {
    const base: Colour = [random.between(5, 40), random.between(12, 40), random.between(40, 68)]
    return (
      whole(hex([base[0], base[1] * 0.5, base[2] - 14])) +
      repeat(11, (row) =>
        repeat(7, (column) =>
          rectangle(
            column * 18 - (row % 2) * 9 - 8,
            row * 10 - 3,
            17,
            9,
            hex(vary(random, base, [5, 8, 6])),
            'rx="0.8"',
          ),
        ),
      )
    )
  },
  soil: (random, d) =>
    wash(random, d, [30, 35, 38], [25, 40, 22]) +
    spots(random, [60, 100], [28, 35, 28], [0.8, 3.5], [0.5, 0.9]) +
    blades(random, [6, 16], [110, 30, 36], [10, 30], [0.6, 1.4]),
  wheat: (random, d) =>
    wash(random, d, [48, 55, 66], [42, 55, 42]) + blades(random, [60, 90], [45, 60, 55], [30, 70], [0.7, 1.7]),
  woodland: (random, d) =>
    wash(random, d, [110, 35, 22], [100, 38, 12]) +
    repeat(count(random, [2, 5]), () =>
      rectangle(random.between(0, 100), -5, random.between(3, 9), 85, hex(vary(random, [30, 22, 18]))),
    ) +
    spots(random, [10, 24], [90, 50, 62], [1.5, 5], [0.15, 0.45]) +
    foliage(random, [10, 20], [110, 35, 18], [6, 14]),
  pond: (random, d) =>
    wash(random, d, [195, 40, 34], [205, 45, 20]) +
    blobs(
      random,
      [10, 20],
      { y: [0, 100], rx: [6, 20], ry: [0.4, 1.2] },
      () => hex(vary(random, [195, 35, 55])),
      'fill-opacity="0.5"',
    ),
  brook: (random, d) =>
    wash(random, d, [195, 35, 62], [110, 40, 32]) +
    blobs(random, [8, 14], { y: [0, 50], rx: [8, 22], ry: [0.5, 1.4] }, () => '#eaf6fb', 'fill-opacity="0.5"') +
    blades(random, [25, 45], [115, 40, 34], [15, 50], [0.7, 1.8]),
  snow: (random, d) =>
    wash(random, d, [210, 25, 86], [215, 30, 93]) +
    blobs(
      random,
      [6, 12],
      { y: [30, 105], rx: [10, 26], ry: [3, 8] },
      () => hex(vary(random, [215, 30, 80], [8, 10, 6])),
      'fill-opacity="0.7"',
    ) +
    spots(random, [3, 12], [30, 25, 30], [0.6, 2], [0.4, 0.8]),
  stones: (random, d) =>
    wash(random, d, [40, 10, 58], [35, 12, 40]) +
    blobs(
      random,
      [14, 24],
      { y: [0, 105], rx: [5, 13], ry: [4, 9] },
      () => hex(vary(random, [40, 8, 60], [20, 6, 16])),
      `stroke="#4b473f" stroke-width="0.6"`,
    ),
  branches: (random, d) =>
    wash(random, d, [205, 40, 78], [340, 30, 84]) +
    repeat(count(random, [3, 6]), () =>
      stroke(
        `M${n(random.between(-10, 110))} ${n(random.between(-10, 110))}Q${n(random.between(20, 80))} ${n(random.between(20, 80))} ${n(random.between(-10, 110))} ${n(random.between(-10, 110))}`,
        hex(vary(random, [15, 22, 26])),
        random.between(1, 3.5),
      ),
    ) +
    spots(random, [8, 20], [342, 60, 88], [1.5, 4], [0.5, 0.9]),
} as const satisfies Record<string, Draw>

export type Backdrop = keyof typeof backdrops

export const backdropNames = Object.keys(backdrops) as readonly Backdrop[]
