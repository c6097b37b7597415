import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { root } from './setup.mjs'

/** What each metric of the service is looked at for. */
const uses = {
  flowers_http_request_duration_seconds:
    'How much is asked, what fails, how slow is it? The objectives are held on it. Its exemplars carry the trace id of a slow answer (`trace_id`).',
  flowers_missed_deadlines_seconds:
    'Do clients ask for the impossible, or is the service slow? What was given less time than the objective of latency promises counts as no failure.',
  flowers_http_requests_in_flight: 'Do requests pile up, and is a replica empty enough to be stopped?',
  flowers_stage_duration_seconds:
    'Where does the time of an image go? Compare the sums of the stages. `queue` is what replicas are added by.',
  flowers_view_duration_seconds:
    'Is the model slower than it was, or are its cores shared? Its sum is the time that workers worked.',
  flowers_views_used: 'How much is saved by stopping early, and is the service stepping down?',
  flowers_run_views: 'Do images share runs? With few requests they do not.',
  flowers_images_total: 'How many images are answered, and what are the others refused for?',
  flowers_confidence: 'Do photos still look like those of training? A fall without a new model says no.',
  flowers_abstentions_total: 'How often does the model say that it does not know? Photos of something else raise it.',
  flowers_predictions_total: 'Which classes are asked about? Against the prior, it is the drift.',
  flowers_class_prior: 'What drift is measured from.',
  flowers_stepped_down_total: 'Is there too much load? It rises before anything is refused.',
  flowers_workers_lost_total: 'Do workers crash, and with which model?',
  flowers_model_reloads_total: 'Did a new version come into service, or was it refused?',
  flowers_model_info: 'Which version answers, and everywhere the same? Join with it to split by version.',
  flowers_build_info: 'Which release runs, and everywhere the same?',
  flowers_queue_depth: 'How many images wait? At `FLOWERS_QUEUE_LIMIT` more are refused.',
  flowers_queue_age_seconds:
    'Is somebody waiting for too long now? It shows what hangs, before it is in any histogram.',
  flowers_workers: 'Are all workers there? Fewer than planned: some were lost and start again.',
  flowers_workers_busy:
    'Is there a free worker? Between two looks it may miss; for the share of time see `flowers_view_duration_seconds_sum`.',
  flowers_backlog_seconds: 'How long would a new image wait? Divided by the threads, what admission reckons with.',
  flowers_workers_planned: 'How did the service read its allowance? With `flowers_worker_threads`.',
  flowers_worker_threads: 'Is a model so large that workers share cores?',
  flowers_batch_views: 'How many views may share a run? `flowers_run_views` tells how many do.',
  flowers_sessions_bytes: 'What of the memory is the model?',
  flowers_cpu_allowance_cores:
    'Does the service see the quota it was given? Against `process_cpu_seconds_total`, how full it is.',
  flowers_memory_limit_bytes: 'How far is `process_resident_memory_bytes` from being killed?',
  flowers_ready: 'Does a replica take work? The sum is the replicas that do.',
}

/** Metrics of the process and of Node that are worth knowing; the others are named. */
const usesOfProcess = {
  process_cpu_seconds_total: 'How many cores are used? Its rate against `flowers_cpu_allowance_cores`.',
  process_resident_memory_bytes: 'How much memory is held? Against `flowers_memory_limit_bytes`.',
  process_start_time_seconds: 'Does a replica restart again and again? Count its changes.',
  process_open_fds: 'Are connections or files left open? Against `process_max_fds`.',
  process_max_fds: 'How many may be open.',
  nodejs_eventloop_lag_p50_seconds: 'Is the thread that answers busy all the time?',
  nodejs_eventloop_lag_p99_seconds: 'Does something hold up the thread that answers? Every request would pay for it.',
  nodejs_eventloop_lag_max_seconds: 'What was the worst since the last look?',
  nodejs_heap_size_used_bytes: 'Does JavaScript leak? It should come back down after each collection.',
  nodejs_external_memory_bytes: 'How much do bodies and pictures hold outside of the heap?',
  nodejs_gc_duration_seconds: 'Is time lost to collecting garbage? The rate of its sum is the share.',
  nodejs_active_resources: 'What keeps the process alive: sockets, timers, threads?',
}

/**
 * The page on metrics, from the registry of the service. Throws when a metric has no use or a use no metric.
 * @param {(head: string[], rows: unknown[][]) => string[]} table
 * @param {{ getMetricsAsArray(): any[] }} registry
 * @param {{ dashboard: string, expr: string }[]} queries of the panels
 */
export function metricsPage(table, registry, queries) {
  const metrics = registry.getMetricsAsArray()
  const own = metrics.filter(({ name }) => name.startsWith('flowers_'))
  const rest = metrics.filter((metric) => !own.includes(metric))
  const rows = (/** @type {any[]} */ described, /** @type {Record<string, string>} */ uses) => {
    const unknown = Object.keys(uses).filter((name) => !described.some((metric) => metric.name === name))
    if (unknown.length > 0)
      throw new Error(`scripts/metrics-page.mjs describes what there is not: ${unknown.join(', ')}`)
    return described.map((metric) => {
      const use = uses[metric.name]
      if (!use) throw new Error(`scripts/metrics-page.mjs has no use for ${metric.name}`)
      const labels = metric.labelNames.map((/** @type {string} */ label) => `\`${label}\``).join(', ')
      const { name, type } = metric
      return [`\`${name}\``, type, labels, metric.help, use, whereUsed(name, queries).join(', ')]
    })
  }
  const worthKnowing = rest.filter(({ name }) => name in usesOfProcess)
  const others = rest.filter((metric) => !worthKnowing.includes(metric)).map(({ name }) => `\`${name}\``)
  const head = ['metric', 'type', 'labels', 'what', 'the question it answers', 'used in']
  return [
    '<!-- Made by `npm run docs` from the metrics of the service and scripts/metrics-page.mjs. -->',
    '',
    '# Metrics',
    '',
    '`GET /metrics` is the text format of Prometheus, or OpenMetrics for who asks for it, as Prometheus does. Only the',
    'second holds exemplars: the id of the last trace that fell into each bucket of a duration, from the header',
    '`traceparent` or the span of the service. They are kept when Prometheus runs with',
    '`--enable-feature=exemplar-storage`, and the dashboards show them as points.',
    '',
    'Durations are in seconds, in buckets from 1 ms to 60 s that grow by a factor of 1.5: a quantile read from them is at',
    'most that far off. What can be counted is there from the start at 0, so that a rate sees the first failure too.',
    '',
    'The stages of an answered image add up to the time from the headers of its request to its answer: divide the sums by',
    'the counts, and the means add up as well. Rows of `pixel_values`, the tensors of the protocol /v2, are no images: of',
    'them there are the requests and the views.',
    '',
    '"Used in" names dashboards ([dashboards.md](dashboards.md)) and files of `deploy/prometheus/rules`.',
    '',
    '## Of the service',
    '',
    ...table(head, rows(own, uses)),
    '',
    '## Of the process and of Node',
    '',
    ...table(head, rows(worthKnowing, usesOfProcess)),
    '',
    `There are also ${others.join(', ')}.`,
    '',
  ].join('\n')
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
