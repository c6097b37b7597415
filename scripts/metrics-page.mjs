import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { root } from './setup.mjs'
import { fill, table } from './template.mjs'

/** The questions that metrics answer, by their names. */
const questions = 'docs/templates/metrics.yml'

/**
 * The page on metrics, from the registry of the service. Throws where a metric has no question, or a question no metric.
 * @param {{ getMetricsAsArray(): any[] }} registry
 * @param {{ dashboard: string, expr: string }[]} queries of the panels
 */
export function metricsPage(registry, queries) {
  const uses = parse(readFileSync(join(root, questions), 'utf8'))
  const metrics = registry.getMetricsAsArray()
  const own = metrics.filter(({ name }) => name.startsWith('flowers_'))
  const rest = metrics.filter((metric) => !own.includes(metric))
  const rows = (/** @type {any[]} */ described, /** @type {Record<string, string>} */ uses) => {
    const unknown = Object.keys(uses).filter((name) => !described.some((metric) => metric.name === name))
    if (unknown.length > 0) throw new Error(`${questions} names metrics that do not exist: ${unknown.join(', ')}`)
    return described.map((metric) => {
      const use = uses[metric.name]
      if (!use) throw new Error(`${questions} has no question for ${metric.name}`)
      const labels = metric.labelNames.map((/** @type {string} */ label) => `\`${label}\``).join(', ')
      const { name, type } = metric
      return [`\`${name}\``, type, labels, metric.help, use, whereUsed(name, queries).join(', ')]
    })
  }
  const worthKnowing = rest.filter(({ name }) => name in uses.process)
  const others = rest.filter((metric) => !worthKnowing.includes(metric)).map(({ name }) => `\`${name}\``)
  const head = ['metric', 'type', 'labels', 'what', 'the question it answers', 'used in']
  return fill('metrics', `the metrics of the service, ${questions}`, {
    service: table(head, rows(own, uses.service)),
    process: table(head, rows(worthKnowing, uses.process)),
    others: others.join(', '),
  })
}

/** Dashboards and files of rules that ask for a metric. @param {string} name @param {{ dashboard: string, expr: string }[]} queries */
function whereUsed(name, queries) {
  const series = new RegExp(`\\b${name}(_bucket|_sum|_count)?\\b(?!:)`)
  const folder = join(root, 'deploy', 'prometheus', 'rules')
  const files = readdirSync(folder).filter((file) =>
    parse(readFileSync(join(folder, file), 'utf8')).groups.some((/** @type {any} */ group) =>
      group.rules.some((/** @type {any} */ rule) => series.test(rule.expr)),
    ),
  )
  const dashboards = queries.filter(({ expr }) => series.test(expr)).map(({ dashboard }) => dashboard)
  return [...new Set(dashboards), ...files.sort()]
}
