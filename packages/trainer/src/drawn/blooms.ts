import type { Random } from '@flowers/shared/random'
import { outlines } from './petals.ts'
import type { Centre, Radial, Sideways, Species, Wreath } from './species.ts'
import {
  between,
  circle,
  count,
  ellipse,
  group,
  hex,
  lighter,
  n,
  path,
  repeat,
  stroke,
  type Colour,
  type Definitions,
} from './svg.ts'

/** What a part of a bloom is drawn with. `radius` is the bloom's, in the canvas's units. */
interface Pen {
  readonly random: Random
  readonly definitions: Definitions
  readonly radius: number
  readonly colour: Colour
}

/** One bloom around (0, 0); sideways forms hang on or stand above it. */
export function drawBloom(pen: Pen, bloom: Species['bloom']): string {
  return bloom.form === 'radial' ? radial(pen, bloom) : sideways[bloom.form](pen, bloom)
}

function radial(pen: Pen, bloom: Radial): string {
  const start = bloom.mirrored ? pen.random.between(-10, 10) : pen.random.between(0, 360)
  const wreaths = bloom.wreaths.map((wreath, index) => drawWreath(pen, bloom, wreath, start, index)).join('')
  return wreaths + centres[bloom.centre.kind](pen, bloom.centre as never)
}

function drawWreath(
  { random, definitions, radius, colour }: Pen,
  bloom: Radial,
  wreath: Wreath,
  start: number,
  level: number,
): string {
  const total = count(random, wreath.petals)
  // Each wreath's petals show in the gaps of the one below.
  const offset = start + (level * 180) / total
  const length = radius * between(random, wreath.length)
  const half = between(random, wreath.half)
  const base = lighter(colour, wreath.lightness ?? 0)
  const { throat } = bloom
  const shade = definitions.radial(0, 0, length, {
    0: throat ? throat.colour : lighter(base, -16),
    ...(throat ? { [throat.reach * 70]: throat.colour, [throat.reach * 115]: base } : { 45: base }),
    100: lighter(base, 5),
  })
  const edge = hex(lighter(base, -18))
  return repeat(total, (index) => {
    // A violet's petals are two above, two at the sides and a large one below.
    const turn = bloom.mirrored ? [-28, 28, -92, 92, 180][index]! : (360 * index) / total + random.between(-4, 4)
    const reach = length * (bloom.mirrored && index === 4 ? 1.12 : 1) * random.between(0.94, 1.03)
    const width = reach * half * (bloom.mirrored && index === 4 ? 1.3 : 1) * random.between(0.94, 1.06)
    const outline = outlines[wreath.shape](reach, width, random)
    const light = random.between(-0.16, 0.12)
    const petal =
      path(outline, shade, `stroke="${edge}" stroke-width="${n(radius * 0.016)}" stroke-opacity="0.55"`) +
      path(outline, light < 0 ? '#000000' : '#ffffff', `fill-opacity="${n(Math.abs(light))}"`) +
      (bloom.veins ? veins(bloom.veins, reach, width, radius) : '')
    return group(`rotate(${n(offset + turn)})`, petal)
  })
}

function veins(colour: Colour, length: number, half: number, radius: number): string {
  const line = (lean: number) =>
    `M0 ${n(-length * 0.12)}Q${n(half * lean * 0.4)} ${n(-length * 0.4)} ${n(half * lean)} ${n(-length * 0.68)}`
  return stroke([-0.5, -0.2, 0.2, 0.5].map(line).join(''), hex(colour), radius * 0.018, 'stroke-opacity="0.55"')
}

type Centres = { [Kind in Centre['kind']]: (pen: Pen, centre: Extract<Centre, { kind: Kind }>) => string }

const goldenAngle = Math.PI * (3 - Math.sqrt(5))

const centres: Centres = {
  disc: ({ random, definitions, radius }, centre) => {
    const r = radius * between(random, centre.radius)
    const fill = definitions.radial(-r * 0.2, -r * 0.2, r * 1.1, {
      0: centre.colour,
      70: centre.colour,
      100: centre.rim,
    })
    // Florets lie on a spiral of the golden angle (Vogel 1979).
    const florets = repeat(r > 5 ? 48 : 18, (index) => {
      const distance = r * 0.92 * Math.sqrt((index + 0.5) / (r > 5 ? 48 : 18))
      const angle = index * goldenAngle
      return circle(
        Math.cos(angle) * distance,
        Math.sin(angle) * distance,
        r * 0.07,
        hex(lighter(centre.rim, index % 3 === 0 ? 14 : -8)),
        'fill-opacity="0.8"',
      )
    })
    return circle(0, 0, r, fill) + florets
  },
  stamens: ({ random, radius }, centre) => {
    const reach = radius * between(random, centre.radius)
    const total = count(random, centre.count)
    const threads = repeat(total, (index) => {
      const angle = (2 * Math.PI * index) / total + random.between(-0.15, 0.15)
      const far = reach * random.between(0.55, 1)
      const x = Math.cos(angle) * far
      const y = Math.sin(angle) * far
      return (
        stroke(`M0 0L${n(x)} ${n(y)}`, hex(lighter(centre.colour, 8)), radius * 0.02, 'stroke-opacity="0.8"') +
        circle(x, y, radius * 0.04, hex(centre.colour))
      )
    })
    return (
      threads +
      circle(
        0,
        0,
        reach * 0.36,
        hex(centre.heart),
        `stroke="${hex(lighter(centre.heart, -14))}" stroke-width="${n(radius * 0.02)}"`,
      )
    )
  },
  trumpet: ({ random, definitions, radius }, centre) => {
    const r = radius * between(random, centre.radius)
    const frills = 14
    let rim = ''
    for (let index = 0; index <= frills; index++) {
      const angle = (2 * Math.PI * index) / frills
      const middle = angle - Math.PI / frills
      const to = `${n(Math.cos(angle) * r * 0.94)} ${n(Math.sin(angle) * r * 0.94)}`
      rim += index === 0 ? `M${to}` : `Q${n(Math.cos(middle) * r * 1.16)} ${n(Math.sin(middle) * r * 1.16)} ${to}`
    }
    const wall = definitions.radial(r * 0.1, r * 0.15, r, {
      0: lighter(centre.colour, -28),
      55: lighter(centre.colour, -10),
      100: lighter(centre.colour, 6),
    })
    const stamens = repeat(6, (index) =>
      circle(Math.cos(index) * r * 0.22, Math.sin(index) * r * 0.22, r * 0.09, hex([50, 80, 66])),
    )
    return (
      path(`${rim}Z`, wall, `stroke="${hex(lighter(centre.colour, -14))}" stroke-width="${n(radius * 0.02)}"`) + stamens
    )
  },
  column: ({ random, radius }, centre) => {
    const reach = radius * between(random, centre.radius)
    const stalk = stroke(`M0 0Q${n(reach * 0.12)} ${n(-reach * 0.5)} 0 ${n(-reach)}`, hex([350, 55, 72]), radius * 0.07)
    const pollen = repeat(20, (index) => {
      const along = reach * (0.45 + 0.55 * (index / 19))
      return circle(random.between(-1, 1) * radius * 0.09, -along, radius * 0.035, hex(centre.colour))
    })
    return group(`rotate(${n(random.between(0, 360))})`, stalk + pollen)
  },
  whorl: ({ random, radius, colour }, centre) => {
    const r = radius * between(random, centre.radius)
    const turns = repeat(3, (index) => {
      const size = r * (1 - index * 0.28)
      return stroke(
        `M${n(-size)} 0A${n(size)} ${n(size)} 0 1 1 ${n(size * 0.3)} ${n(size * 0.9)}`,
        hex(lighter(colour, -20)),
        radius * 0.03,
        'stroke-opacity="0.7"',
      )
    })
    return circle(0, 0, r, hex(lighter(colour, -7))) + group(`rotate(${n(random.between(0, 360))})`, turns)
  },
}

type Drawing = (pen: Pen, bloom: Sideways) => string

const sideways: Record<Sideways['form'], Drawing> = {
  /** A tulip: a cup that stands on (0, 0). */
  cup: ({ random, definitions, radius, colour }, bloom) => {
    const height = radius * random.between(1.7, 2)
    const width = radius * random.between(0.62, 0.78)
    const shade = (dark: number) =>
      definitions.linear([-width, 0], [width, -height], {
        0: lighter(colour, -14 - dark),
        55: lighter(colour, -dark),
        100: lighter(colour, 10 - dark),
      })
    const edge = `stroke="${hex(lighter(colour, -20))}" stroke-width="${n(radius * 0.02)}" stroke-opacity="0.5"`
    const petal = (x: number, lean: number, reach: number, half: number, dark: number) =>
      group(`translate(${n(x)} 0) rotate(${n(lean)})`, path(outlines.lance(reach, half), shade(dark), edge))
    const behind = repeat(count(random, bloom.parts) - 1, (index) =>
      petal((index - 1) * width * 0.35, (index - 1) * 10, height * 0.95, width * 0.55, 10),
    )
    return (
      behind +
      petal(-width * 0.42, -7, height, width * 0.62, 3) +
      petal(width * 0.42, 7, height, width * 0.62, 0) +
      petal(0, random.between(-3, 3), height * 0.9, width * 0.66, -3)
    )
  },
  /** A bluebell: an arching stem with bells on one side. */
  bells: ({ random, definitions, radius, colour }, bloom) => {
    const total = count(random, bloom.parts)
    const height = radius * 1.75
    const bow = radius * random.between(0.45, 0.75)
    const at = (t: number) => ({ x: bow * t * t, y: -height * (t - 0.28 * t * t * t) })
    const stem = stroke(`M0 0Q0 ${n(-height * 0.55)} ${n(at(1).x)} ${n(at(1).y)}`, hex([115, 35, 34]), radius * 0.05)
    const bells = repeat(total, (index) => {
      const t = 0.4 + (0.6 * (index + 0.5)) / total
      const { x, y } = at(t)
      const size = radius * 0.36 * (1.15 - 0.5 * t)
      const w = size * 0.46
      const side = index % 2 === 0 ? 1 : -0.6
      const bell = `M${n(-w * 0.5)} 0Q${n(-w * 0.9)} ${n(size * 0.6)} ${n(-w * 1.25)} ${n(size)}L${n(-w * 0.45)} ${n(size * 0.86)}L0 ${n(size * 1.06)}L${n(w * 0.45)} ${n(size * 0.86)}L${n(w * 1.25)} ${n(size)}Q${n(w * 0.9)} ${n(size * 0.6)} ${n(w * 0.5)} 0Q0 ${n(-size * 0.24)} ${n(-w * 0.5)} 0Z`
      const fill = definitions.linear([-w, 0], [w, size], { 0: lighter(colour, 8), 100: lighter(colour, -12) })
      const hang = group(
        `translate(${n(x + side * size * 0.35)} ${n(y)}) rotate(${n(-side * random.between(8, 30))})`,
        path(bell, fill, `stroke="${hex(lighter(colour, -22))}" stroke-width="${n(radius * 0.012)}"`),
      )
      return stroke(`M${n(x)} ${n(y)}l${n(side * size * 0.35)} 0`, hex([115, 35, 34]), radius * 0.025) + hang
    })
    return stem + bells
  },
  /** Lavender: a straight stem with whorls of small blossoms towards its tip. */
  spike: ({ random, radius, colour }, bloom) => {
    const total = count(random, bloom.parts)
    const height = radius * 1.9
    const lean = random.between(-0.18, 0.18)
    const stem = stroke(`M0 0L${n(height * lean)} ${n(-height)}`, hex([105, 18, 44]), radius * 0.045)
    const blossoms = repeat(total, (index) => {
      const t = 0.48 + (0.52 * index) / total
      const x = height * lean * t + ((index % 3) - 1) * radius * 0.1 * (1.6 - t)
      const size = radius * 0.13 * (1.5 - 0.8 * t)
      return ellipse(
        x,
        -height * t,
        size * 0.75,
        size,
        hex(lighter(colour, random.between(-14, 12))),
        `transform="rotate(${n(((index % 3) - 1) * 28)} ${n(x)} ${n(-height * t)})"`,
      )
    })
    return stem + blossoms
  },
  /** A snowdrop: a bent stalk with three drops of petals over a green-marked inner bell. */
  nodding: ({ random, definitions, radius, colour }, bloom) => {
    const green: Colour = [115, 42, 36]
    const height = radius * 1.9
    const reach = radius * 0.5
    const stalk = stroke(
      `M0 0Q0 ${n(-height * 0.95)} ${n(reach * 0.5)} ${n(-height)}Q${n(reach)} ${n(-height)} ${n(reach)} ${n(-height * 0.86)}`,
      hex(green),
      radius * 0.06,
    )
    const drop = radius * random.between(0.9, 1.1)
    const fill = definitions.linear([0, -drop], [0, 0], { 0: lighter(colour, 2), 100: lighter(colour, -14) })
    const edge = `stroke="#8a978f" stroke-width="${n(radius * 0.016)}" stroke-opacity="0.7"`
    const spread = random.between(20, 34)
    const inner =
      path(outlines.round(drop * 0.62, drop * 0.22), hex(lighter(colour, -6))) +
      stroke(
        `M${n(-drop * 0.12)} ${n(-drop * 0.5)}L0 ${n(-drop * 0.42)}L${n(drop * 0.12)} ${n(-drop * 0.5)}`,
        hex(green),
        drop * 0.07,
      )
    const petals = repeat(bloom.parts[0], (index) =>
      group(`rotate(${n((index - 1) * spread)})`, path(outlines.lance(drop, drop * 0.21), fill, edge)),
    )
    const cap = ellipse(0, -drop * 0.02, drop * 0.1, drop * 0.13, hex(green))
    return (
      stalk +
      group(
        `translate(${n(reach)} ${n(-height * 0.86)}) rotate(${n(180 + random.between(-12, 12))})`,
        inner + petals + cap,
      )
    )
  },
}
