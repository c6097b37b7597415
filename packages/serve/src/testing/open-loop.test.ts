import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, it } from 'vitest'
import { arrivals, openLoop } from './open-loop.ts'
import { until } from './service.ts'

it('has arrivals of a Poisson process', () => {
  const due = arrivals({ rate: 50, count: 10_000, seed: 1 })
  const gaps = due.map((each, index) => each - (due[index - 1] ?? 0))
  const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length
  expect(Math.abs(mean - 20)).toBeLessThan(1)
  // Exponential gaps: their deviation is their mean, and e^-1 of them are longer than it.
  const variance = gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / gaps.length
  expect(Math.abs(Math.sqrt(variance) / mean - 1)).toBeLessThan(0.05)
  expect(Math.abs(gaps.filter((gap) => gap > mean).length / gaps.length - Math.exp(-1))).toBeLessThan(0.02)
  expect(arrivals({ rate: 50, count: 10, seed: 1 })).toEqual(due.slice(0, 10))
})

it('goes on sending while nothing is answered, and times from when a request was due', async () => {
  const held: (() => void)[] = []
  const server = createServer((_request, response) => held.push(() => response.end('late')))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const load = { url, rate: 500, count: 40, seed: 2 }
  // By this clock every request is due when the load begins, and is answered a second later.
  let clock = 0
  const now = (): number => {
    const time = clock
    clock = 1000
    return time
  }
  const loop = openLoop({ ...load, question: () => ({ path: '/' }), now })
  // Every request is at the server before the first is answered.
  await until(() => held.length === load.count)
  for (const answer of held) answer()
  const answers = await loop
  expect(answers.map(({ reply }) => [reply.status, reply.body])).toEqual(Array(40).fill([200, 'late']))
  expect(answers.map(({ ms }) => ms)).toEqual(arrivals(load).map((due) => 1000 - due))
  server.close()
})
