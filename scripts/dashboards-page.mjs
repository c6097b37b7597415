import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './setup.mjs'

/** @typedef {{ dashboard: string, panel: string, expr: string }} Query */

/**
 * The page on dashboards: every query of every panel with a value that was seen. Throws when one was never seen.
 * @param {(head: string[], rows: unknown[][]) => string[]} table
 * @param {Record<string, any>} dashboards as Grafana reads them, by name
 * @param {Query[]} queries
 */
export function dashboardsPage(table, dashboards, queries) {
  const { date, machine, load, values } = JSON.parse(readFileSync(join(root, 'docs', 'dashboards.json'), 'utf8'))
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
  return [
    '<!-- Made by `npm run docs` from packages/dashboards and docs/dashboards.json. -->',
    '',
    '# Dashboards',
    '',
    'Written in TypeScript in `packages/dashboards`; `npm run docs` writes the files of `deploy/grafana/dashboards`, which',
    'Grafana reads at its start (`deploy/compose.yaml`), and `npm run check -- docs` says when they are not what the code',
    'says. Each lets one choose job, instance and model; `$__rate_interval` is what Grafana finds fit for the width.',
    '',
    '`tests/prometheus.test.ts` runs a Prometheus beside the service under load and asks it every query below, every series',
    'in them, and every operand of every alert: a name that no metric has fails it.',
    '',
    `The values were seen on ${date} (${machine}), after a minute with the models of \`models/\` and ${load}.`,
    'The pictures are drawn, so the answers say nothing about the model. Of several series the one with',
    'the largest value is shown. This command sees them anew:',
    '',
    '```sh',
    command,
    '```',
    '',
    ...sections.flat(),
  ].join('\n')
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
