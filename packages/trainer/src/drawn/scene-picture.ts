import type { Random } from '@flowers/shared/random'
import { backdropNames, backdrops } from './backdrops.ts'
import { drawLeaf, leaves, type LeafShape } from './leaves.ts'
import {
  circle,
  count,
  Definitions,
  ellipse,
  group,
  hex,
  hsl,
  lighter,
  n,
  path,
  picture,
  rectangle,
  repeat,
  stroke,
  vary,
  type Colour,
} from './svg.ts'

type Draw = (random: Random, definitions: Definitions) => string

const whole = (fill: string): string => rectangle(-5, -5, 110, 110, fill)
const anyColour = (random: Random): Colour => [random.between(0, 360), random.between(20, 85), random.between(30, 75)]
const anyPlace = (random: Random): string => `${n(random.between(15, 85))} ${n(random.between(15, 85))}`

function ground(random: Random, definitions: Definitions): string {
  const colour = anyColour(random)
  return whole(
    definitions.linear([0, 0], [random.between(-40, 40), 100], { 0: lighter(colour, 12), 100: lighter(colour, -12) }),
  )
}

function stripes(random: Random): string {
  const [first, second] = [hex(anyColour(random)), hex(anyColour(random))]
  const width = random.between(3, 14)
  const lines = repeat(40, (index) => rectangle(-60 + index * width * 2, -60, width, 220, second))
  return whole(first) + group(`rotate(${n(random.between(0, 180))} 50 50)`, lines)
}

function checks(random: Random): string {
  const [first, second] = [hex(anyColour(random)), hex(anyColour(random))]
  const side = random.between(6, 18)
  const rows = Math.ceil(150 / side)
  const squares = repeat(rows * rows, (index) => {
    const x = index % rows
    const y = Math.floor(index / rows)
    return (x + y) % 2 === 0 ? rectangle(x * side - 25, y * side - 25, side, side, second) : ''
  })
  return whole(first) + group(`rotate(${n(random.between(-40, 40))} 50 50)`, squares)
}

function wood(random: Random): string {
  const base: Colour = [random.between(18, 38), random.between(30, 60), random.between(28, 58)]
  const lines = repeat(34, (index) => {
    const y = index * 4 - 10
    const wave = random.between(-4, 4)
    return stroke(
      `M-5 ${n(y)}Q25 ${n(y + wave)} 50 ${n(y)}T105 ${n(y)}`,
      hex(vary(random, lighter(base, -9), [4, 6, 8])),
      random.between(0.5, 2.4),
      'stroke-opacity="0.7"',
    )
  })
  return whole(hex(base)) + group(`rotate(${random.integer(2) * 90} 50 50)`, lines)
}

function balls(random: Random, definitions: Definitions): string {
  const drawn = repeat(count(random, [1, 5]), () => {
    const [x, y, r] = [random.between(15, 85), random.between(20, 85), random.between(7, 24)]
    const colour = anyColour(random)
    const shine = definitions.radial(x - r * 0.35, y - r * 0.35, r * 1.5, {
      0: lighter(colour, 32),
      60: colour,
      100: lighter(colour, -28),
    })
    return ellipse(x + r * 0.2, y + r * 0.95, r, r * 0.25, '#000000', 'fill-opacity="0.3"') + circle(x, y, r, shine)
  })
  return ground(random, definitions) + drawn
}

function boxes(random: Random, definitions: Definitions): string {
  const drawn = repeat(count(random, [1, 4]), () => {
    const [x, y, s] = [random.between(10, 65), random.between(30, 70), random.between(14, 32)]
    const colour = anyColour(random)
    const d = s * 0.35
    return (
      rectangle(x, y, s, s, hex(colour)) +
      path(`M${n(x)} ${n(y)}l${n(d)} ${n(-d)}h${n(s)}l${n(-d)} ${n(d)}Z`, hex(lighter(colour, 14))) +
      path(`M${n(x + s)} ${n(y)}l${n(d)} ${n(-d)}v${n(s)}l${n(-d)} ${n(d)}Z`, hex(lighter(colour, -16)))
    )
  })
  return ground(random, definitions) + drawn
}

function street(random: Random, definitions: Definitions): string {
  const sky = backdrops.sky(random, definitions)
  const houses = repeat(count(random, [3, 6]), (index) => {
    const [x, width, height] = [index * 22 - 8, random.between(16, 26), random.between(30, 75)]
    const colour = anyColour(random)
    const windows = repeat(12, (at) => {
      const wx = x + 2.5 + (at % 3) * (width / 3.2)
      const wy = 92 - height + 4 + Math.floor(at / 3) * 11
      return wy > 84 ? '' : rectangle(wx, wy, width / 5, 6, random.uniform() < 0.4 ? '#f6e7a1' : '#2c3844')
    })
    return rectangle(x, 92 - height, width, height + 20, hex(colour)) + windows
  })
  return sky + houses + rectangle(-5, 88, 110, 20, '#4a4a4e')
}

function mountains(random: Random, definitions: Definitions): string {
  const ridges = repeat(3, (index) => {
    const base = 45 + index * 18
    let d = `M-5 110L-5 ${n(base)}`
    for (let x = 5; x <= 105; x += 12) d += `L${x} ${n(base + random.between(-14, 12))}`
    return path(`${d}L105 110Z`, hex(vary(random, [210 - index * 40, 20 + index * 6, 58 - index * 14])))
  })
  return backdrops.sky(random, definitions) + ridges
}

function leavesAlone(random: Random, definitions: Definitions): string {
  const backdrop = backdrops[random.pick(backdropNames)](random, definitions)
  const shape = random.pick(Object.keys(leaves) as LeafShape[])
  const colour: Colour = random.uniform() < 0.3 ? [30, 60, 42] : [115, 42, 32]
  const drawn = repeat(count(random, [3, 9]), () =>
    group(
      `translate(${anyPlace(random)}) rotate(${n(random.between(0, 360))})`,
      drawLeaf(random, shape, random.between(25, 55), colour),
    ),
  )
  return backdrop + drawn
}

function fruit(random: Random, definitions: Definitions): string {
  const colour = random.pick<Colour>([hsl(0, 75, 45), hsl(95, 55, 45), hsl(28, 92, 52), hsl(52, 88, 56)])
  const drawn = repeat(count(random, [1, 4]), () => {
    const [x, y, r] = [random.between(22, 78), random.between(30, 80), random.between(13, 22)]
    const skin = definitions.radial(x - r * 0.3, y - r * 0.3, r * 1.6, {
      0: lighter(colour, 18),
      100: lighter(colour, -20),
    })
    return (
      ellipse(x, y, r, r * 0.92, skin) +
      stroke(`M${n(x)} ${n(y - r * 0.8)}q1 ${n(-r * 0.3)} 3 ${n(-r * 0.45)}`, '#5a3d22', 1.6) +
      group(`translate(${n(x + 1)} ${n(y - r)}) rotate(65)`, drawLeaf(random, 'oval', r * 0.8, [110, 45, 35]))
    )
  })
  return wood(random) + drawn
}

function cat(random: Random, definitions: Definitions): string {
  const fur = random.pick<Colour>([hsl(30, 60, 50), hsl(25, 8, 30), hsl(0, 0, 82), hsl(28, 40, 36)])
  const eye = random.pick(['#9acb3c', '#e6b422', '#5aa9d6'])
  const face =
    path('M-26 -8L-22 -38L-4 -22ZM26 -8L22 -38L4 -22Z', hex(lighter(fur, -6))) +
    ellipse(0, 0, 28, 25, hex(fur)) +
    [-11, 11].map((x) => ellipse(x, -4, 5, 6, eye) + ellipse(x, -4, 1.6, 5.4, '#111111')).join('') +
    path('M-3 6h6l-3 4Z', '#d98a8a') +
    stroke('M0 10q-4 5 -8 2M0 10q4 5 8 2M-12 8l-20 -4M-12 11l-20 3M12 8l20 -4M12 11l20 3', '#2a2522', 0.8)
  return (
    ground(random, definitions) +
    group(
      `translate(${n(random.between(38, 62))} ${n(random.between(45, 62))}) rotate(${n(random.between(-14, 14))}) scale(${n(random.between(0.8, 1.3))})`,
      face,
    )
  )
}

function lettering(random: Random): string {
  const lines = repeat(14, (row) => {
    let x = 8
    return repeat(9, () => {
      const width = random.between(3, 14)
      const word = x + width > 94 ? '' : rectangle(x, 8 + row * 6.4, width, 2.6, '#26262a')
      x += width + 2.4
      return word
    })
  })
  return (
    whole(hex([45, random.between(5, 30), random.between(84, 96)])) +
    group(`rotate(${n(random.between(-8, 8))} 50 50)`, lines)
  )
}

function backdropAlone(random: Random, definitions: Definitions): string {
  return backdrops[random.pick(backdropNames)](random, definitions)
}

/** What is drawn where no flower shall be seen. */
export const scenes = {
  stripes,
  checks,
  wood,
  balls,
  boxes,
  street,
  mountains,
  leaves: leavesAlone,
  fruit,
  cat,
  lettering,
  backdrop: backdropAlone,
} as const satisfies Record<string, Draw>

export type Scene = keyof typeof scenes

/** A picture without a flower as SVG of `size` x `size`. */
export function scenePicture(scene: Scene, random: Random, size: number): string {
  const definitions = new Definitions()
  return picture(size, definitions, scenes[scene](random, definitions))
}
