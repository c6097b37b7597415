import { describe, expect, it } from 'vitest'
import { labelled } from './labels.ts'

const labelsOf = (classNames: readonly string[], known: readonly string[] = []): string[] =>
  labelled(
    classNames.map((className, place) => ({ path: `/${place}`, id: `${place}`, split: undefined, className })),
    known,
  ).map(({ label }) => label)

const composed = 'ros\u00e9'
const decomposed = 'rose\u0301'

describe('a label', () => {
  it.each([
    ['012-colts-foot', 'colts-foot'],
    ['7-up', 'up'],
    ['7 up', '7 up'],
    ['12', '12'],
    ['12-', '12-'],
    [' rose\u00a0', 'rose'],
    [decomposed, composed],
    ['line\nbreak', 'line\nbreak'],
    ['__proto__', '__proto__'],
    [' ', ' '],
  ])('of %j is %j', (name, label) => {
    expect(labelsOf([name, 'other', name])).toEqual([label, 'other', label])
  })

  it.each([
    ['2019-rose', '2020-rose'],
    ['012-rose', '12-rose'],
    ['1-rose', 'rose'],
    ['rose ', 'rose'],
    ['1-rose', 'rose ', 'rose'],
    [composed, decomposed],
    [`1-${decomposed}`, `2-${decomposed}`, composed],
    // What one falls back to is what another would have been.
    ['1-2-rose', '2-rose', 'rose'],
    ['Rose', 'rose'],
    ['0', '1', '00'],
  ])('tells %j and %j apart', (...names) => {
    const labels = labelsOf(names)
    expect(new Set(labels).size).toBe(names.length)
    expect(labelsOf([...names, ...names].toReversed())).toEqual([...labels, ...labels].toReversed())
    const composedOf = (texts: readonly string[]): string[] => texts.map((text) => text.normalize('NFC'))
    expect(composedOf(labels)).toEqual(composedOf(names))
  })

  it('is the one that a model knows, where some of its classes are missing', () => {
    expect(labelsOf(['2019-rose', '1-tulip'], ['2019-rose', '2020-rose', 'tulip'])).toEqual(['2019-rose', 'tulip'])
    // Of a release that did not trim.
    expect(labelsOf(['rose ', 'tulip'], ['rose ', 'tulip'])).toEqual(['rose ', 'tulip'])
  })

  it('leaves other classes as they are', () => {
    expect(labelsOf(['1-rose', '2-rose', '3-tulip'])).toEqual(['1-rose', '2-rose', 'tulip'])
  })

  it('is one for the names that a class has in several splits', () => {
    const photos = [
      { split: 'train', className: '01-rose' },
      { split: 'valid', className: '1-rose' },
      { split: 'test', className: 'rose ' },
      { split: 'train', className: decomposed },
      { split: 'valid', className: composed },
    ] as const
    const labels = labelled(photos.map((photo, place) => ({ ...photo, path: `/${place}`, id: `${place}` })))
    expect(labels.map(({ label }) => label)).toEqual(['rose', 'rose', 'rose', composed, composed])
  })
})
