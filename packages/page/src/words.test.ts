import type { ClassifyAnswer } from '@flowers/client/client'
import { expect, it } from 'vitest'
import {
  announcement,
  duration,
  flowerName,
  heading,
  knownSentence,
  meaning,
  percent,
  setSentence,
  timingSentence,
  unmeasured,
  viewName,
  viewsSentence,
} from './words.ts'

type Level = ClassifyAnswer['level']

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
  expect(meaning(0.884)).toBe('When I say 88 %, I am right about 88 times in 100 pictures of my flowers.')
  expect(meaning(1)).toBe('When I say over 99 %, I am right about 99 times in 100 pictures of my flowers.')
  expect([0, 0.884, 1].map((known) => /\d+ in 100/.exec(knownSentence({ known }))![0])).toEqual([
    '1 in 100',
    '88 in 100',
    '99 in 100',
  ])
  expect(knownSentence({ known: null })).toBe('')
})

it('heads an answer as sure as it is', () => {
  const headed = (
    level: Level,
    label: string,
    group: string | null = null,
    set: string[] | null = ['a', 'b'],
  ): string => heading({ level, predictions: [{ label, index: 0, score: 0.5 }], group, set })
  expect(headed('none', 'tulip', 'tulip')).toBe('I do not know this one')
  expect(headed('sure', 'oxeye-daisy')).toBe('Oxeye daisy')
  const unsure = ['tulip', 'oxeye-daisy', 'iris', 'Eucalyptus', 'crocus', 'sweet-peas', 'canterbury-bells', 'øyentrøst']
  expect(unsure.map((label) => headed('perhaps', label))).toEqual([
    'Perhaps a tulip',
    'Perhaps an oxeye daisy',
    'Perhaps an iris',
    'Perhaps a eucalyptus',
    'Perhaps a crocus',
    'Perhaps sweet peas',
    'Perhaps canterbury bells',
    'Perhaps øyentrøst',
  ])
  expect(headed('perhaps', 'queen-of-night', 'tulip')).toBe('A tulip; of the sort I am not sure')
  expect(headed('perhaps', 'queen-of-night', 'Iris', null)).toBe('An iris; of the sort I am not sure')
  // Of one label it is not the sort that is unsure.
  expect(headed('perhaps', 'queen-of-night', 'tulip', ['queen-of-night'])).toBe('Perhaps a queen of night')
})

it('puts the set into words', () => {
  const sentence = (...set: string[]): string => setSentence({ set, details })
  expect(sentence('rose')).toBe('If it is one of my flowers, then with 95 % certainty rose.')
  expect(sentence('rose', 'tulip')).toBe(
    'If it is one of my flowers, then with 95 % certainty one of 2: rose or tulip.',
  )
  expect(sentence('rose', 'tulip', 'oxeye-daisy')).toBe(
    'If it is one of my flowers, then with 95 % certainty one of 3: rose, tulip or oxeye daisy.',
  )
  expect(sentence('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h')).toBe(
    'If it is one of my flowers, then with 95 % certainty one of 8: a, b, c, d, e, f and 2 more.',
  )
  expect(sentence()).toBe('')
  expect(setSentence({ set: null, details })).toBe('')
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
  const certain = 'If it is one of my flowers, then with 95 % certainty water lily.'
  expect(announcement(answer)).toBe(`Water lily, 62 %. ${certain}`)
  const perhaps = { ...answer, level: 'perhaps' as const, set: ['water-lily', 'lotus'] }
  expect(announcement(perhaps)).toMatch(/^Perhaps a water lily, 62 %\. If it is .* water lily or lotus\.$/)
  expect(announcement({ ...perhaps, group: 'lily' })).toMatch(
    /^A lily; of the sort I am not sure\. The likeliest is water lily, 62 %\. If it is/,
  )
  const none = { ...answer, level: 'none' as const, abstain: true }
  expect(announcement(none)).toBe('I do not know this one. The nearest is water lily, 62 %.')
  // Of a model without calibration no number is read out.
  const plain = { ...perhaps, calibrated: false, set: null }
  expect(announcement(plain)).toBe(`Perhaps a water lily. ${unmeasured}`)
  expect(announcement({ ...none, calibrated: false, set: null })).toBe(
    'I do not know this one. The nearest is water lily.',
  )
})
