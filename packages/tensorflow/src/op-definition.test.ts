import { expect, test } from 'vitest'
import { splitInputs } from './op-definition.ts'

const one = { listAttribute: null }
const list = (listAttribute: string) => ({ listAttribute })

test.each([
  ['single inputs', [one, one], 2, {}, [1, 1]],
  ['one list takes what is left', [list('N'), one], 4, {}, [3, 1]],
  ['a list of a stated length', [list('N'), one], 4, { N: 3 }, [3, 1]],
  ['several lists of stated lengths', [one, list('A'), list('B')], 6, { A: 2, B: 3 }, [1, 2, 3]],
  ['two lists of one length', [list('N'), list('N')], 6, { N: 3 }, [3, 3]],
  ['an empty list', [one, list('N')], 1, {}, [1, 0]],
] as const)('%s', (_, inputs, count, lengths, expected) => {
  expect(splitInputs(inputs, count, new Map(Object.entries(lengths)))).toEqual(expected)
})
