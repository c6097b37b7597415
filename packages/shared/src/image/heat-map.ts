/** Red, green, blue and opacity from 0 to 255. */
type Colour = readonly [red: number, green: number, blue: number, opacity: number]

/** From where the model did not look, which is darkened, to where it looked most, which stays as it is. */
const scale: readonly Colour[] = [
  [14, 10, 38, 190],
  [52, 18, 86, 148],
  [190, 62, 96, 72],
  [255, 196, 84, 20],
]

/** A class map of height x width places, row by row. */
export interface PlacedMap {
  readonly values: ArrayLike<number>
  readonly height: number
  readonly width: number
}

/**
 * A class map as a square picture to lay over the one it explains: side x side x 4 bytes, R G B and opacity, without
 * steps between the places. What speaks against the class counts as nothing, the place that speaks for it most as 1.
 */
export function heatMap({ values, height, width }: PlacedMap, side: number): Uint8ClampedArray<ArrayBuffer> {
  let most = 0
  for (let place = 0; place < values.length; place++) most = Math.max(most, values[place]!)
  const share = (row: number, column: number): number =>
    most > 0 ? Math.max(0, values[row * width + column]!) / most : 0
  const rows = Array.from({ length: side }, (_, y) => between(y, side, height))
  const columns = Array.from({ length: side }, (_, x) => between(x, side, width))
  const pixels = new Uint8ClampedArray(4 * side * side)
  rows.forEach(([upper, lower, down], y) => {
    columns.forEach(([left, right, across], x) => {
      const above = mix(share(upper, left), share(upper, right), across)
      const below = mix(share(lower, left), share(lower, right), across)
      pixels.set(colourOf(mix(above, below, down)), 4 * (y * side + x))
    })
  })
  return pixels
}

/** The places before and after the middle of pixel `index` of `side`, and how far it is from the one to the other. */
function between(index: number, side: number, places: number): [number, number, number] {
  const position = Math.min(Math.max(((index + 0.5) * places) / side - 0.5, 0), places - 1)
  const before = Math.floor(position)
  return [before, Math.min(before + 1, places - 1), position - before]
}

function mix(from: number, to: number, part: number): number {
  return from + part * (to - from)
}

/** The colour of a share in [0, 1], between the two of the scale that it lies between. */
function colourOf(share: number): number[] {
  const place = share * (scale.length - 1)
  const below = Math.min(Math.floor(place), scale.length - 2)
  return scale[below]!.map((value, channel) => mix(value, scale[below + 1]![channel]!, place - below))
}
