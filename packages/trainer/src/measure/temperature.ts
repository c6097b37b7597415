import type { Scores } from './metrics.ts'

const lowest = 0.05
const highest = 20
const smallestProbability = 1e-30

/** Mean negative log-likelihood of the labels, nats, under probabilities with these logarithms, softened by `temperature`. */
export function negativeLogLikelihood(
  logs: readonly Float64Array[],
  labels: ArrayLike<number>,
  temperature: number,
): number {
  let loss = 0
  for (const [photo, row] of logs.entries()) {
    let largest = -Infinity
    for (let index = 0; index < row.length; index++) largest = Math.max(largest, row[index]! / temperature)
    let sum = 0
    for (let index = 0; index < row.length; index++) sum += Math.exp(row[index]! / temperature - largest)
    const own = Math.exp(row[labels[photo]!]! / temperature - largest) / sum
    loss -= Math.log(Math.max(own, smallestProbability))
  }
  return loss / logs.length
}

/**
 * Temperature scaling (Guo et al. 2017, arXiv:1706.04599): the temperature in [0.05, 20] that minimises the negative
 * log-likelihood, by golden-section search over its logarithm (the likelihood is convex in 1 / temperature, so there
 * is one minimum). Null when every photo is right or none: then no temperature is best, and nothing can be fitted.
 *
 * @param rows mean probabilities over the views, one row a photo
 */
export function fitTemperature(rows: readonly Scores[], labels: ArrayLike<number>): number | null {
  const right = rows.filter((row, photo) => isTop(row, labels[photo] as number)).length
  if (right === 0 || right === rows.length) return null
  const logs = rows.map(logarithms)
  const loss = (logarithm: number): number => negativeLogLikelihood(logs, labels, Math.exp(logarithm))
  return Math.exp(goldenSection(loss, Math.log(lowest), Math.log(highest), 1e-4))
}

/** Taken once: a fit asks for them again and again. */
export const logarithms = (row: Scores): Float64Array => Float64Array.from(row).map(Math.log)

function isTop(row: Scores, label: number): boolean {
  const own = row[label] as number
  for (let index = 0; index < row.length; index++) if ((row[index] as number) > own) return false
  return true
}

const ratio = (Math.sqrt(5) - 1) / 2

function goldenSection(loss: (x: number) => number, low: number, high: number, tolerance: number): number {
  let [a, b] = [low, high]
  let [c, d] = [b - ratio * (b - a), a + ratio * (b - a)]
  let [atC, atD] = [loss(c), loss(d)]
  while (b - a > tolerance) {
    if (atC < atD) {
      ;[b, d, atD] = [d, c, atC]
      c = b - ratio * (b - a)
      atC = loss(c)
    } else {
      ;[a, c, atC] = [c, d, atD]
      d = a + ratio * (b - a)
      atD = loss(d)
    }
  }
  return (a + b) / 2
}
