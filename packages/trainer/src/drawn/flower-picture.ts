import type { Random } from '@flowers/shared/random'
import { backdropNames, backdrops } from './backdrops.ts'
import { drawBloom } from './blooms.ts'
import { drawLeaf } from './leaves.ts'
import type { Species } from './species.ts'
import {
  between,
  count,
  Definitions,
  ellipse,
  group,
  hex,
  hsl,
  n,
  picture,
  rectangle,
  repeat,
  stroke,
  vary,
  type Colour,
} from './svg.ts'

interface Place {
  readonly x: number
  readonly y: number
  readonly radius: number
}

/** Share of pictures that are taken where the flower usually grows. */
const atHome = 0.75

/** A picture of a flower as SVG of `size` x `size`: backdrop out of focus, leaves, one to several blooms, light. */
export function flowerPicture(kind: Species, random: Random, size: number): string {
  const definitions = new Definitions()
  const backdrop = random.uniform() < atHome ? random.pick(kind.habit.backdrops) : random.pick(backdropNames)
  const colour = random.pick(kind.colours)
  const standing = kind.bloom.form !== 'radial'
  const places = placeBlooms(kind, random, standing)
  const behind = outOfFocus(
    definitions,
    backdrops[backdrop](random, definitions) + distantBlooms(kind, colour, random),
    random.between(0.7, 2.6),
  )
  const greens = places.map((place) => greenery(kind, random, place, standing)).join('')
  const blooms = places.map((place) => bloom(kind, random, definitions, colour, place, standing)).join('')
  return picture(size, definitions, behind + greens + blooms + light(random, definitions))
}

/** A blur fades towards the edge of the picture, where it has nothing to average; the sharp drawing below fills that. */
function outOfFocus(definitions: Definitions, content: string, deviation: number): string {
  return `<g id="behind">${content}</g><use href="#behind" filter="${definitions.blur(deviation)}"/>`
}

/** Places from the smallest bloom to the largest, apart from each other where that succeeds. */
function placeBlooms(kind: Species, random: Random, standing: boolean): Place[] {
  const total = count(random, kind.habit.blooms)
  const places: Place[] = []
  for (let index = 0; index < total; index++) {
    const shrink = index === 0 ? 1 : random.between(0.5, 0.85)
    const radius = between(random, kind.habit.radius) * shrink * (total > 2 ? 0.85 : 1)
    let place: Place | undefined
    for (let attempt = 0; attempt < 8; attempt++) {
      const spread = index === 0 ? 14 : 38
      const x = 50 + random.between(-spread, spread)
      const y = standing ? random.between(72, 98) : 50 + random.between(-spread, spread)
      place = { x, y, radius }
      const apart = standing ? 0.6 : 0.95
      if (
        places.every((other) => Math.hypot(other.x - x, standing ? 0 : other.y - y) > (other.radius + radius) * apart)
      )
        break
    }
    if (place) places.push(place)
  }
  return places.toSorted((a, b) => a.radius - b.radius)
}

function distantBlooms(kind: Species, colour: Colour, random: Random): string {
  return repeat(random.integer(6), () => {
    const r = between(random, kind.habit.radius) * random.between(0.12, 0.3)
    return ellipse(
      random.between(0, 100),
      random.between(0, 100),
      r,
      r * random.between(0.6, 1),
      hex(vary(random, colour)),
      'fill-opacity="0.85"',
    )
  })
}

function greenery(kind: Species, random: Random, { x, y, radius }: Place, standing: boolean): string {
  const foot = x + random.between(-18, 18)
  const floating = kind.habit.leaf === 'pad'
  const stem =
    standing || floating
      ? ''
      : stroke(
          `M${n(x)} ${n(y)}Q${n(x + random.between(-8, 8))} ${n((y + 105) / 2)} ${n(foot)} 108`,
          hex(vary(random, kind.habit.leafColour)),
          radius * random.between(0.07, 0.11),
        )
  const leafCount = 1 + random.integer(4)
  const leaves = repeat(leafCount, () => {
    const length = radius * random.between(0.9, 1.7)
    if (floating) {
      return group(
        `translate(${n(x + random.between(-40, 40))} ${n(y + random.between(-30, 35))})`,
        drawLeaf(random, 'pad', radius * random.between(0.6, 1.1), kind.habit.leafColour),
      )
    }
    // Standing flowers have their leaves at the ground, the others along the stem.
    const along = random.uniform()
    const at = standing
      ? { x: x + random.between(-6, 6), y: y + 4 }
      : { x: x + (foot - x) * along * along, y: y + (108 - y) * along }
    const turn = standing ? random.between(-35, 35) : random.between(20, 110) * (random.uniform() < 0.5 ? -1 : 1)
    return group(
      `translate(${n(at.x)} ${n(at.y)}) rotate(${n(turn)})`,
      drawLeaf(random, kind.habit.leaf, length, kind.habit.leafColour),
    )
  })
  const ground = standing
    ? stroke(`M${n(x)} ${n(y)}L${n(foot)} 112`, hex(vary(random, kind.habit.leafColour)), radius * 0.07)
    : ''
  return ground + stem + leaves
}

function bloom(
  kind: Species,
  random: Random,
  definitions: Definitions,
  colour: Colour,
  place: Place,
  standing: boolean,
): string {
  const { x, y, radius } = place
  const drawn = drawBloom({ random, definitions, radius, colour: vary(random, colour, [5, 6, 4]) }, kind.bloom)
  if (standing) {
    const flip = random.uniform() < 0.5 ? -1 : 1
    return group(`translate(${n(x)} ${n(y)}) rotate(${n(random.between(-14, 14))}) scale(${flip} 1)`, drawn)
  }
  // Seen at a slant: narrower across a random axis.
  const axis = random.between(0, 360)
  const slant = 1 - 0.42 * random.uniform() ** 2
  const upright = kind.bloom.form === 'radial' && kind.bloom.mirrored ? '' : `rotate(${n(axis)}) `
  const shadow = ellipse(
    radius * 0.12,
    radius * 0.16,
    radius * 0.86,
    radius * 0.86 * slant,
    '#000000',
    'fill-opacity="0.2"',
  )
  return group(`translate(${n(x)} ${n(y)})`, shadow + group(`${upright}scale(1 ${n(slant)})`, drawn))
}

/** Daylight from one side, a tint of the hour, darker corners. */
function light(random: Random, definitions: Definitions): string {
  const angle = random.between(0, 2 * Math.PI)
  const dx = Math.cos(angle) * 50
  const dy = Math.sin(angle) * 50
  const across = (fill: string, opacity: number) => rectangle(0, 0, 100, 100, fill, `fill-opacity="${n(opacity)}"`)
  const shade = definitions.linear([50 - dx, 50 - dy], [50 + dx, 50 + dy], {
    0: [50, 60, 92],
    50: [50, 20, 60],
    100: [230, 40, 8],
  })
  const hour = random.pick<Colour>([
    hsl(38, 90, 60),
    hsl(205, 60, 55),
    hsl(20, 80, 50),
    hsl(0, 0, 100),
    hsl(230, 40, 12),
  ])
  return across(shade, random.between(0.03, 0.24)) + across(hex(hour), random.between(0, 0.12))
}
