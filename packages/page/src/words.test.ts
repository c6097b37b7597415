import { expect, it } from 'vitest'
import {
  announcement,
  duration,
  flowerName,
  meaning,
  percent,
  setSentence,
  timingSentence,
  viewName,
  viewsSentence,
} from './words.ts'

const details = { views: [], coverage: 0.95 }

it('writes labels as names', () => {
  expect(['oxeye-daisy', 'rose', "colt's_foot"].map(flowerName)).toEqual(['Oxeye daisy', 'Rose', "Colt's foot"])
  // Nothing is worse than a name of dashes.
  expect(['-', '__'].map(flowerName)).toEqual(['-', '__'])
})

it('never speaks of certainty', () => {
  expect([0, 0.004, 0.01, 0.884, 0.994, 0.996, 1].map(percent)).toEqual([
    'under 1 %',
    'under 1 %',
    '1 %',
    '88 %',
    '99 %',
    'over 99 %',
    'over 99 %',
  ])
  expect(meaning(0.884)).toBe('When I say 88 %, I am right about 88 times in 100.')
  expect(meaning(1)).toBe('When I say over 99 %, I am right about 99 times in 100.')
})

it('puts the set into words', () => {
  const sentence = (...set: string[]): string => setSentence({ set, details })
  expect(sentence('rose')).toBe('With 95 % certainty it is rose.')
  expect(sentence('rose', 'tulip')).toBe('With 95 % certainty it is one of 2: rose or tulip.')
  expect(sentence('rose', 'tulip', 'oxeye-daisy')).toBe(
    'With 95 % certainty it is one of 3: rose, tulip or oxeye daisy.',
  )
  expect(sentence('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h')).toBe(
    'With 95 % certainty it is one of 8: a, b, c, d, e, f and 2 more.',
  )
  expect(sentence()).toBe('')
  expect(setSentence({ set: ['rose'], details: { views: [], coverage: null } })).toBe('')
  expect(setSentence({ set: ['rose'], details: { views: [], coverage: 0.975 } })).toContain('97.5 %')
})

it('says how a view shows the picture', () => {
  expect(viewName({ flip: 'none', scale: 1 })).toBe('as it is')
  expect(viewName({ flip: 'horizontal', scale: 1.15 })).toBe('mirrored, closer')
  expect(viewName({ flip: 'vertical', scale: 1 })).toBe('upside down')
})

it('says why it looked so often', () => {
  expect(viewsSentence({ used: 1, of: 1, policy: 'full' })).toBe('I looked once.')
  expect(viewsSentence({ used: 6, of: 6, policy: 'exact' })).toBe('I looked 6 times, each time a little differently.')
  expect(viewsSentence({ used: 4, of: 6, policy: 'exact' })).toMatch(/4 times\. 2 more looks could not/)
  expect(viewsSentence({ used: 1, of: 6, policy: 'fast' })).toMatch(/once\. 5 more looks would hardly/)
  expect(viewsSentence({ used: 1, of: 6, policy: 'none' })).toBe('I looked once only, as I do when I am busy.')
})

it('says how long it took', () => {
  expect([0.2, 12.4, 999.6, 2840].map(duration)).toEqual(['under 1 ms', '12 ms', '1.0 s', '2.8 s'])
  const times = { decode: 20, queue: 1, infer: 300, total: 330 }
  expect(timingSentence(times)).toBe('330 ms in all: 20 ms reading the picture, 300 ms looking.')
  expect(timingSentence({ ...times, queue: 40 })).toContain(' 40 ms waiting, 300 ms looking.')
})

it('reads out the answer in one go', () => {
  const answer = {
    model: { name: 'm', version: 1 },
    predictions: [{ label: 'water-lily', index: 0, score: 0.62 }],
    calibrated: true,
    set: ['water-lily'],
    known: null,
    level: 'sure' as const,
    group: null,
    abstain: false,
    views: { used: 6, of: 6, policy: 'full' as const },
    details,
    timings: { decode: 1, queue: 0, infer: 1, total: 2 },
  }
  expect(announcement(answer)).toBe('Water lily, 62 %. With 95 % certainty it is water lily.')
  expect(announcement({ ...answer, abstain: true })).toBe('I do not know this one. The nearest is water lily, 62 %.')
})
