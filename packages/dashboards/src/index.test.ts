import type { Dataquery } from '@grafana/grafana-foundation-sdk/prometheus'
import { describe, expect, it } from 'vitest'
import { variables } from './board.ts'
import { dashboards, panelQueries, panelsOf } from './index.ts'

/** Units of Grafana that the panels use. */
const units = ['s', 'short', 'percentunit', 'bytes', 'reqps', 'cps']

const all = Object.entries(dashboards())

describe.each(all)('the dashboard %s', (name, dashboard) => {
  const panels = panelsOf(dashboard)

  it('is found by a name, and lets one choose job, instance and model', () => {
    expect(dashboard.uid).toBe(`flowers-${name}`)
    expect(dashboard.description).toBeTruthy()
    expect(dashboard.templating.list!.map((variable) => variable.name)).toEqual(Object.keys(variables))
    for (const { datasource } of dashboard.templating.list!) expect(datasource?.uid).toBe('prometheus')
  })

  it('says of each panel what it shows, in what unit, and of each series what it is', () => {
    expect(new Set(panels.map(({ title }) => title)).size).toBe(panels.length)
    expect(panels.map(({ id }) => id)).toEqual(panels.map((_, index) => index + 1))
    for (const { title, description, datasource, fieldConfig, targets } of panels) {
      expect([title, description]).toEqual([title, expect.stringMatching(/^.{20,}\.$/)])
      expect(units).toContain(fieldConfig!.defaults.unit)
      expect(datasource).toEqual({ type: 'prometheus', uid: 'prometheus' })
      const queries = targets as Dataquery[]
      expect(new Set(queries.map(({ refId }) => refId)).size).toBe(queries.length)
      for (const { expr, legendFormat } of queries) {
        expect(legendFormat).toBeTruthy()
        // A label of the legend that the expression sums away would be empty.
        for (const [, label] of legendFormat!.matchAll(/\{\{(\w+)\}\}/g)) {
          const summed = /^(sum|count|avg|max|histogram_quantile)\b/.test(expr)
          if (summed)
            expect([title, expr]).toEqual([title, expect.stringMatching(new RegExp(`by \\([^)]*\\b${label}\\b`))])
        }
      }
    }
  })

  it('leaves no hole within its rows, and no panel lies on another', () => {
    const cells = panels.flatMap(({ gridPos }) => {
      const { x, y, w, h } = gridPos!
      expect(x + w).toBeLessThanOrEqual(24)
      return Array.from({ length: w * h }, (_, index) => `${x + (index % w)},${y + Math.floor(index / w)}`)
    })
    expect(new Set(cells).size).toBe(cells.length)
    const bottom = Math.max(...panels.map(({ gridPos }) => gridPos!.y + gridPos!.h))
    expect(cells).toHaveLength(24 * bottom)
  })
})

it('uses no variable that no dashboard has', () => {
  const known = [...Object.keys(variables), '__rate_interval']
  for (const { expr } of panelQueries()) {
    for (const [, variable] of expr.matchAll(/\$(\w+)/g)) expect(known).toContain(variable)
  }
})
