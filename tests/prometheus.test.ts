import { spawnSync } from 'node:child_process'
import { cpus } from 'node:os'
import { fileURLToPath } from 'node:url'
import { variables } from '@flowers/dashboards/board'
import { panelQueries } from '@flowers/dashboards/index'
import type { PanelQuery } from '@flowers/dashboards/index'
import { form, quarters, solid } from '@flowers/serve/testing/pictures'
import { startProcess } from '@flowers/serve/testing/process'
import type { ServiceProcess } from '@flowers/serve/testing/process'
import { writeFileAtomic } from '@flowers/shared/files'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startPrometheus } from './prometheus-server.ts'
import type { Prometheus, Sample } from './prometheus-server.ts'
import { operands, selectors } from './promql.ts'

const missing = spawnSync('prometheus', ['--version']).error !== undefined
if (missing) console.log('skipped: there is no prometheus (Debian: apt install prometheus)')

/** Also write the values that are seen, with the models of models/, to the file that docs/dashboards.md is made from. */
const recording = process.env['FLOWERS_RECORD'] === '1'
const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url))

describe.skipIf(missing)('Prometheus with the files of deploy/, beside the service under load', () => {
  let service: ServiceProcess
  let prometheus: Prometheus
  let load: Load

  beforeAll(async () => {
    service = await startProcess(recording ? { MODELS_DIR: path('../models') } : {})
    load = startLoad(service.url)
    prometheus = await startPrometheus(service.url)
  })
  afterAll(async () => {
    await load.stop()
    await prometheus.stop()
    await service.stop()
  })

  /** Waits until every expression has a value that is a number; gives the series that have one. */
  async function values(exprs: readonly string[], seconds = 100): Promise<Map<string, Sample[]>> {
    const found = new Map<string, Sample[]>()
    const end = performance.now() + seconds * 1000
    for (;;) {
      await Promise.all(
        exprs.map(async (expr) => {
          const samples = (await prometheus.query(fill(expr))).filter(({ value }) => Number.isFinite(Number(value[1])))
          if (samples.length > 0) found.set(expr, samples)
        }),
      )
      if (exprs.every((expr) => found.has(expr)) || performance.now() > end) return found
      await new Promise((resolve) => setTimeout(resolve, 500))
    }
  }

  const withoutData = async (exprs: readonly string[]): Promise<string[]> => {
    const found = await values(exprs)
    return exprs.filter((expr) => !found.has(expr))
  }

  it('evaluates every rule, and every operand of every alert has data', async () => {
    expect(await withoutData(['up{job="flowers"} == 1', 'flowers_ready == 1'])).toEqual([])
    const rules = await prometheus.rules()
    expect(rules.map(({ type }) => type)).toContain('alerting')
    const sides = rules.flatMap(({ type, query }) => (type === 'alerting' ? operands(query) : [query]))
    expect(await withoutData([...new Set([...sides, ...rules.flatMap(({ query }) => selectors(query))])])).toEqual([])
    const failed = (await prometheus.rules()).filter(({ health }) => health !== 'ok')
    expect(failed).toEqual([])
  })

  it('has data for every query of every panel, and for every series in it', async () => {
    const queries = panelQueries()
    const exprs = queries.map(({ expr }) => expr)
    expect(await withoutData([...new Set([...exprs, ...exprs.flatMap((expr) => selectors(fill(expr)))])])).toEqual([])
    if (recording) {
      await load.settled()
      await record(queries, await values(exprs))
    }
  })

  it('would miss a panel whose metric is misspelt', async () => {
    const misspelt = panelQueries().map(({ expr }) => expr.replace(/(flowers|nodejs|process)([_:])/, '$1$2x_'))
    const answers = await Promise.all(misspelt.map((expr) => prometheus.query(fill(expr))))
    for (const [index, expr] of misspelt.entries()) expect([expr, answers[index]]).toEqual([expr, []])
  })

  it('has the values of every variable', async () => {
    for (const { values: query } of Object.values(variables)) {
      const [, selector, label] = /^label_values\((.*), (\w+)\)$/.exec(query)!
      expect([query, await prometheus.labelValues(fill(selector!), label!)]).not.toEqual([query, []])
    }
  })

  it('keeps the traces of callers for the panels that show them', async () => {
    const withTraces = panelQueries().filter(({ exemplar }) => exemplar)
    expect(withTraces.length).toBeGreaterThan(0)
    for (const { expr } of withTraces) {
      const traces = await prometheus.exemplars(fill(expr))
      expect(traces.length).toBeGreaterThan(0)
      for (const trace of traces) expect(load.traces).toContain(trace)
    }
  })

  async function record(queries: readonly PanelQuery[], found: ReadonlyMap<string, readonly Sample[]>): Promise<void> {
    const rows = queries.map(({ dashboard, panel, expr }) => {
      const [first] = found.get(expr)!.toSorted((a, b) => Number(b.value[1]) - Number(a.value[1]))
      const { __name__: _, instance: __, job: ___, ...labels } = first!.metric
      return { dashboard, panel, expr, series: found.get(expr)!.length, labels, value: Number(first!.value[1]) }
    })
    const head = {
      date: new Date().toISOString().slice(0, 10),
      machine: `${cpus().length} cores of ${cpus()[0]!.model}, Node ${process.versions.node}`,
      load: load.description,
    }
    await writeFileAtomic(path('../docs/dashboards.json'), `${JSON.stringify({ ...head, values: rows }, null, 2)}\n`)
  }
})

/** An expression with values for the variables of Grafana. */
function fill(expr: string): string {
  return expr
    .replaceAll('$__rate_interval', '1m')
    .replaceAll('$job', 'flowers')
    .replaceAll(/\$(instance|model)/g, '.+')
}

interface Load {
  /** Traces that it asked in. */
  readonly traces: ReadonlySet<string>
  readonly description: string
  /** Resolves when it has gone on for a minute. */
  settled(): Promise<void>
  stop(): Promise<void>
}

/** Asks for everything that the service answers, some of it in vain, two requests at a time. */
function startLoad(url: string): Load {
  const started = performance.now()
  const traces = new Set<string>()
  let stopped = false
  const ask = async (round: number): Promise<void> => {
    const picture = round % 7 === 0 ? Buffer.from('no picture') : await pictureOf(round)
    const policy = ['exact', 'fast', 'none', 'full'][round % 4]!
    const image = { name: 'image', datatype: 'BYTES', shape: [1], data: [picture.toString('base64')] }
    const [path, body] = (
      [
        [`/classify?tta=${policy}`, form(picture)],
        [`/classify?tta=${policy}`, form(picture)],
        ['/explain', form(picture)],
        [`/v2/models/${await defaultModel}/infer`, JSON.stringify({ inputs: [image] })],
      ] as const
    )[round % 4 === 0 ? round % 3 : (round + 1) % 4]!
    const traceId = round.toString(16).padStart(32, '0')
    traces.add(traceId)
    const headers = { traceparent: `00-${traceId}-${'1'.repeat(16)}-01` }
    await (await fetch(`${url}${path}`, { method: 'POST', body, headers })).arrayBuffer()
  }
  const defaultModel = fetch(`${url}/v2/repository/index`, { method: 'POST', body: '{"ready":true}' })
    .then((response) => response.json() as Promise<{ name: string }[]>)
    .then(([first]) => first!.name)
  let round = 0
  const lane = async (): Promise<void> => {
    while (!stopped) await ask(++round)
  }
  const lanes = [lane(), lane()]
  return {
    traces,
    description: 'two requests at a time: /classify with each policy, /explain, /v2/.../infer, one in seven no picture',
    settled: () => new Promise((resolve) => setTimeout(resolve, Math.max(0, started + 60_000 - performance.now()))),
    stop: async () => {
      stopped = true
      await Promise.all(lanes)
    },
  }
}

const colours = ['red', 'lime', 'blue', 'yellow', 'gray']

function pictureOf(round: number): Promise<Buffer> {
  return round % 2 === 0 ? solid(colours[(round / 2) % colours.length]!) : quarters(round)
}
