import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { createInstruments, createRegistry } from './instruments.ts'
import { Stopwatch } from './stopwatch.ts'

beforeEach(() => vi.useFakeTimers({ toFake: ['performance'] }))
afterEach(() => vi.useRealTimers())

it('times each stage from the end of the one before, and tells metrics and trace', async () => {
  const registry = createRegistry()
  const spans: [string, number, number][] = []
  const trace = { span: (...span: [string, number, number]) => void spans.push(span) }
  const arrived = performance.now()
  vi.advanceTimersByTime(40)
  const watch = new Stopwatch(createInstruments(registry), { arrived, trace, traceId: 'a'.repeat(32) })
  vi.advanceTimersByTime(30)
  watch.lap('decode', performance.now() - 20)
  watch.lap('preprocess')
  vi.advanceTimersByTime(5)
  watch.lap('merge')
  vi.advanceTimersByTime(1000)

  expect(watch.milliseconds).toEqual({ receive: 40, decode: 10, preprocess: 20, queue: 0, infer: 0, merge: 5 })
  expect(watch.total).toBe(75)
  expect(spans).toEqual([
    ['receive', arrived, arrived + 40],
    ['decode', arrived + 40, arrived + 50],
    ['preprocess', arrived + 50, arrived + 70],
    ['merge', arrived + 70, arrived + 75],
  ])
  const text = await registry.metrics()
  expect(text).toContain('flowers_stage_duration_seconds_sum{stage="preprocess"} 0.02\n')
  expect(text).toMatch(/stage="merge"\} 1 # \{trace_id="a{32}"\} 0\.005 /)
})

it('has no exemplar without a trace', async () => {
  const registry = createRegistry()
  const watch = new Stopwatch(createInstruments(registry), { arrived: performance.now(), trace: null, traceId: null })
  watch.lap('merge')
  expect(await registry.metrics()).not.toContain('trace_id')
})
