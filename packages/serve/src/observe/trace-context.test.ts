import { describe, expect, it } from 'vitest'
import { readTraceparent } from './trace-context.ts'

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'
const parentId = '00f067aa0ba902b7'

describe('readTraceparent', () => {
  it.each([`00-${traceId}-${parentId}-01`, `00-${traceId}-${parentId}-00`, `cc-${traceId}-${parentId}-01-later`])(
    'reads %s',
    (header) => {
      expect(readTraceparent(header)).toEqual({ traceId, parentId, sampled: /-01/.test(header) })
    },
  )

  it.each([
    undefined,
    '',
    `ff-${traceId}-${parentId}-01`,
    `00-${traceId}-${parentId}-01-more`,
    `00-${traceId.toUpperCase()}-${parentId}-01`,
    `00-${'0'.repeat(32)}-${parentId}-01`,
    `00-${traceId}-${'0'.repeat(16)}-01`,
    `00-${traceId}-${parentId}`,
  ])('does not follow %j', (header) => {
    expect(readTraceparent(header)).toBeNull()
  })
})
