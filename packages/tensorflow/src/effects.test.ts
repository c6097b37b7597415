import { expect, test } from 'vitest'
import { EffectOrder } from './effects.ts'

function orderOf(
  program: [node: string, access: 'read' | 'write', ...resources: string[]][],
): Record<string, string[]> {
  const order = new EffectOrder<string>()
  const waits: Record<string, string[]> = {}
  for (const [node, access, ...resources] of program) {
    waits[node] = order.before(resources, access)
    order.record(resources, access, node)
  }
  waits['end'] = order.final()
  return waits
}

test('a write waits for earlier reads and the last write, a read for the last write only', () => {
  expect(
    orderOf([
      ['r1', 'read', 'a'],
      ['r2', 'read', 'a'],
      ['w1', 'write', 'a'],
      ['r3', 'read', 'a'],
      ['r4', 'read', 'a'],
      ['w2', 'write', 'a'],
      ['w3', 'write', 'a'],
    ]),
  ).toEqual({
    r1: [],
    r2: [],
    w1: ['r1', 'r2'],
    r3: ['w1'],
    r4: ['w1'],
    w2: ['w1', 'r3', 'r4'],
    w3: ['w2'],
    end: ['w3'],
  })
})

test('resources are independent of each other; an operation on several waits for all', () => {
  expect(
    orderOf([
      ['w1', 'write', 'a'],
      ['w2', 'write', 'b'],
      ['both', 'write', 'a', 'b'],
      ['r', 'read', 'c'],
    ]),
  ).toEqual({ w1: [], w2: [], both: ['w1', 'w2'], r: [], end: ['both'] })
})
