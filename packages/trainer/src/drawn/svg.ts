import type { Random } from '@flowers/shared/random'

/** Hue in degrees, saturation and lightness in percent. */
export type Colour = readonly [hue: number, saturation: number, lightness: number]

export const hsl = (hue: number, saturation: number, lightness: number): Colour => [hue, saturation, lightness]

export type Range = readonly [low: number, high: number]

/** `#rrggbb` of a colour (CSS Color Module Level 4, section 7.1); saturation and lightness are clamped. */
export function hex([hue, saturation, lightness]: Colour): string {
  const s = Math.min(100, Math.max(0, saturation)) / 100
  const l = Math.min(100, Math.max(0, lightness)) / 100
  const channel = (n: number): string => {
    const k = (((n + hue / 30) % 12) + 12) % 12
    const value = l - s * Math.min(l, 1 - l) * Math.max(-1, Math.min(k - 3, 9 - k, 1))
    return Math.round(value * 255)
      .toString(16)
      .padStart(2, '0')
  }
  return `#${channel(0)}${channel(8)}${channel(4)}`
}

/** A colour near another: hue, saturation and lightness each moved by up to so much. */
export function vary(random: Random, [h, s, l]: Colour, by: Colour = [6, 8, 6]): Colour {
  return [h + random.between(-by[0], by[0]), s + random.between(-by[1], by[1]), l + random.between(-by[2], by[2])]
}

export function lighter([h, s, l]: Colour, by: number): Colour {
  return [h, s, l + by]
}

/** Two digits are a fiftieth of a pixel at 200 pixels. */
export function n(value: number): string {
  return String(Math.round(value * 100) / 100)
}

export function between(random: Random, [low, high]: Range): number {
  return random.between(low, high)
}

/** A whole number from low to high, both included. */
export function count(random: Random, [low, high]: Range): number {
  return low + random.integer(high - low + 1)
}

/** As many results of `make` as `total`, in one string. */
export function repeat(total: number, make: (index: number) => string): string {
  let text = ''
  for (let index = 0; index < total; index++) text += make(index)
  return text
}

export function group(transform: string, content: string, attributes = ''): string {
  return `<g transform="${transform}" ${attributes}>${content}</g>`
}

export function circle(x: number, y: number, r: number, fill: string, attributes = ''): string {
  return `<circle cx="${n(x)}" cy="${n(y)}" r="${n(r)}" fill="${fill}" ${attributes}/>`
}

export function ellipse(x: number, y: number, rx: number, ry: number, fill: string, attributes = ''): string {
  return `<ellipse cx="${n(x)}" cy="${n(y)}" rx="${n(rx)}" ry="${n(ry)}" fill="${fill}" ${attributes}/>`
}

export function path(d: string, fill: string, attributes = ''): string {
  return `<path d="${d}" fill="${fill}" ${attributes}/>`
}

export function stroke(d: string, colour: string, width: number, attributes = ''): string {
  return `<path d="${d}" fill="none" stroke="${colour}" stroke-width="${n(width)}" stroke-linecap="round" ${attributes}/>`
}

export function rectangle(x: number, y: number, width: number, height: number, fill: string, attributes = ''): string {
  return `<rect x="${n(x)}" y="${n(y)}" width="${n(width)}" height="${n(height)}" fill="${fill}" ${attributes}/>`
}

/** Stops of a gradient by their offsets, in percent. */
export type Stops = Readonly<Record<number, Colour>>

function stopsOf(stops: Stops): string {
  const sorted = Object.entries(stops).toSorted(([a], [b]) => Number(a) - Number(b))
  return sorted.map(([at, colour]) => `<stop offset="${n(Number(at))}%" stop-color="${hex(colour)}"/>`).join('')
}

/** Gradients and filters of one picture, under names of their own. Every picture is drawn on a canvas of 100 x 100. */
export class Definitions {
  #content = ''
  #next = 0

  /** A gradient around a point of the current coordinates; returns a value for `fill`. */
  radial(x: number, y: number, radius: number, stops: Stops): string {
    return this.#add(
      (id) =>
        `<radialGradient id="${id}" gradientUnits="userSpaceOnUse" cx="${n(x)}" cy="${n(y)}" r="${n(radius)}">${stopsOf(stops)}</radialGradient>`,
    )
  }

  /** A gradient between two points of the current coordinates; returns a value for `fill`. */
  linear(from: readonly [number, number], to: readonly [number, number], stops: Stops): string {
    return this.#add(
      (id) =>
        `<linearGradient id="${id}" gradientUnits="userSpaceOnUse" x1="${n(from[0])}" y1="${n(from[1])}" x2="${n(to[0])}" y2="${n(to[1])}">${stopsOf(stops)}</linearGradient>`,
    )
  }

  /** A blur of so many hundredths of the picture; returns a value for `filter`. */
  blur(deviation: number): string {
    return this.#add(
      (id) =>
        `<filter id="${id}" x="-20%" y="-20%" width="140%" height="140%"><feGaussianBlur stdDeviation="${n(deviation)}"/></filter>`,
    )
  }

  toString(): string {
    return `<defs>${this.#content}</defs>`
  }

  #add(define: (id: string) => string): string {
    const id = `d${this.#next++}`
    this.#content += define(id)
    return `url(#${id})`
  }
}

/** A whole picture of `size` x `size` pixels. */
export function picture(size: number, definitions: Definitions, content: string): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${size}" height="${size}" viewBox="0 0 100 100">${definitions.toString()}${content}</svg>`
}
