import { fill, readJson, table } from './template.mjs'

/** @typedef {{ dashboard: string, panel: string, expr: string }} Query */

/**
 * The page on dashboards: every query of every panel with a value that was seen. Throws when one was never seen.
 * @param {Record<string, any>} dashboards as Grafana reads them, by name
 * @param {Query[]} queries
 */
export function dashboardsPage(dashboards, queries) {
  const { values, ...recorded } = readJson('docs/dashboards.json')
  const sections = Object.entries(dashboards).map(([name, { title, description, panels }]) => {
    const rows = panels.flatMap((/** @type {any} */ panel) =>
      queries
        .filter((query) => query.dashboard === name && query.panel === panel.title)
        .map(({ expr }, index) => {
          const seen = values.find(
            (/** @type {any} */ each) => each.dashboard === name && each.panel === panel.title && each.expr === expr,
          )
          if (!seen)
            throw new Error(`${name}, "${panel.title}": no value of ${expr} was seen; record them (${command})`)
          return [
            index === 0 ? panel.title : '',
            `\`${expr}\``,
            valueOf(seen, panel.type === 'heatmap' ? 'cps' : panel.fieldConfig.defaults.unit),
          ]
        }),
    )
    return [`## ${title}`, '', description, '', ...table(['panel', 'query', 'seen'], rows), '']
  })
  return fill('dashboards', 'packages/dashboards, docs/dashboards.json', {
    ...recorded,
    command,
    sections: sections.flat(),
  })
}

const command = 'FLOWERS_RECORD=1 npm test -- tests/prometheus.test.ts && npm run docs'

/** @param {{ value: number, labels: Record<string, string>, series: number }} seen @param {string} unit of Grafana */
function valueOf({ value, labels, series }, unit) {
  const number = (/** @type {number} */ each) =>
    Number(each.toPrecision(3)).toLocaleString('en', { maximumFractionDigits: 6 })
  /** @type {Record<string, string>} */
  const written = {
    s: `${number(value)} s`,
    percentunit: `${number(value * 100)} %`,
    bytes: `${number(value / 1e6)} MB`,
    reqps: `${number(value)} requests/s`,
    cps: `${number(value)} a second`,
  }
  const of = Object.values(labels).join(', ')
  return `${written[unit] ?? number(value)}${of && ` (${of})`}${series > 1 ? `, ${series} series` : ''}`
}
