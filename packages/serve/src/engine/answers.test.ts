import { expect, it } from 'vitest'
import { createInstruments, createRegistry } from '../observe/instruments.ts'
import { Stopwatch } from '../observe/stopwatch.ts'
import { classMaps, timingsOf } from './answers.ts'

it('class maps are those of the classes that are asked, each place its share of the logit', () => {
  const maps = { values: Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8), height: 1, width: 4 }
  const [second, ...others] = classMaps(maps, [2.5, 6.5], ['rose', 'iris'], [1])
  expect(others).toEqual([])
  expect(second).toEqual({ label: 'iris', index: 1, logit: 6.5, values: Float64Array.of(1.25, 1.5, 1.75, 2) })
  expect(second!.values.reduce((sum, value) => sum + value)).toBe(6.5)
})

it('timings count resizing to decoding', () => {
  const watch = new Stopwatch(createInstruments(createRegistry()), { arrived: 0, trace: null, traceId: null })
  watch.lap('receive', 5)
  Object.assign(watch.milliseconds, { decode: 1, preprocess: 2, queue: 3, infer: 4 })
  expect(timingsOf(watch)).toEqual({ decode: 3, queue: 3, infer: 4, total: 5 })
})
