import { expect, it } from 'vitest'
import { operands, selectors } from './promql.ts'

it.each([
  ['up', ['up']],
  ['rate(a{b="c"}[5m]) / on (d) e', ['a{b="c"}', 'e']],
  ['sum_over_time(a:b:c[1h:15s]) * 15 + vector(1)', ['a:b:c']],
  ['histogram_quantile(0.9, sum by (le) (rate(a_bucket[5m]))) > (a or a)', ['a_bucket', 'a']],
])('finds the series of %s', (expr, series) => expect(selectors(expr)).toEqual(series))

it.each(['rate(a[5m]', 'a{b=}', 'sum by (le (a)'])('refuses %s', (expr) =>
  expect(() => selectors(expr)).toThrow('Not PromQL'),
)

it.each([
  ['a > 10', ['a']],
  ['a / b >= 0.9 and on (c) (d == 1)', ['a / b', 'd']],
  ['a > on (slo) group_left () (14.4 * (1 - b)) and a > bool 1 unless c', ['a', '14.4 * (1 - b)', 'a', 'c']],
  ['absent(a{b="c"} == 1) or increase(d[5m]) != 0', ['a{b="c"}', 'increase(d[5m])']],
  ['sum without (d) (a > 0) < -1', ['sum without (d) (a > 0)']],
])('finds the operands of %s', (expr, sides) => expect(operands(expr)).toEqual(sides))
