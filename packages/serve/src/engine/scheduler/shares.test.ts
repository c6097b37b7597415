import { expect, it } from 'vitest'
import { virtualLoad } from '../../testing/virtual-load.ts'

/** Two workers that take 0.127 s a view, as the model that is shipped does on two cores. */
const machine = { workers: 2, viewSeconds: 0.127, noise: 0.1, decodeSeconds: 0.02, limit: 64 }
const deadlines = [30, 5, 2]

/** `factor`: of the requests that could be answered with one view each. */
async function loadOf(factor: number, seed: number) {
  const rate = (factor * machine.workers) / machine.viewSeconds
  const shares = await virtualLoad({ ...machine, deadlines, rate, count: Math.round(rate * 60), seed })
  return [...shares.values()]
}

// With FIFO in place of deadlines the shares at 1 x were 0.86, 0.06 and 0.01: long deadlines filled the queue.
it.each([
  { factor: 0.25, least: 1 },
  { factor: 1, least: 0.95 },
  { factor: 2, least: 0.45 },
  { factor: 5, least: 0.15 },
])('every deadline gets its answers at $factor x what can be answered', async ({ factor, least }) => {
  for (const seed of [1, 2, 3]) {
    const classes = await loadOf(factor, seed)
    expect(classes.map(({ late }) => late)).toEqual([0, 0, 0])
    for (const { sent, answered } of classes) expect(answered / sent).toBeGreaterThanOrEqual(least)
    // What can be answered is answered: no class gets its share by leaving workers idle.
    const [sent, answered] = [sum(classes, 'sent'), sum(classes, 'answered')]
    expect(answered / sent).toBeGreaterThanOrEqual(0.95 / Math.max(1, factor))
  }
})

it('views are given up before requests: beyond what can be answered nearly all get one', async () => {
  const views = async (factor: number): Promise<number> => {
    const classes = await loadOf(factor, 4)
    return sum(classes, 'views') / sum(classes, 'answered')
  }
  expect(await views(0.1)).toBeGreaterThan(5.5)
  expect(await views(1)).toBeLessThan(1.3)
  expect(await views(5)).toBeLessThan(1.3)
})

function sum<Name extends string>(classes: readonly Readonly<Record<Name, number>>[], name: Name): number {
  return classes.reduce((total, each) => total + each[name], 0)
}
