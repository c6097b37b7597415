/** Red, green, blue and opacity from 0 to 255. */
type Colour = readonly [red: number, green: number, blue: number, opacity: number]

/** From where the model did not look, which is darkened, to where it looked most, which glows. */
const scale: readonly Colour[] = [
  [14, 10, 38, 184],
  [74, 18, 92, 150],
  [196, 64, 74, 96],
  [255, 178, 56, 84],
]

/**
 * A class map as a picture to lay over the one it explains: 4 bytes a place, R G B and opacity. What speaks against the
 * class counts as nothing, the place that speaks for it most as 1.
 */
export function heatMap(values: ArrayLike<number>): Uint8ClampedArray<ArrayBuffer> {
  let most = 0
  for (let place = 0; place < values.length; place++) most = Math.max(most, values[place]!)
  const pixels = new Uint8ClampedArray(4 * values.length)
  for (let place = 0; place < values.length; place++) {
    pixels.set(colourOf(most > 0 ? Math.max(0, values[place]!) / most : 0), 4 * place)
  }
  return pixels
}

/** The colour of a share in [0, 1], between the two of the scale that it lies between. */
function colourOf(share: number): number[] {
  const place = share * (scale.length - 1)
  const below = Math.min(Math.floor(place), scale.length - 2)
  return scale[below]!.map((value, channel) => value + (place - below) * (scale[below + 1]![channel]! - value))
}
