import { spawnSync } from 'node:child_process'
import { cpus } from 'node:os'
import { fileURLToPath } from 'node:url'
import { variables } from '@flowers/dashboards/board'
import { panelQueries, type PanelQuery } from '@flowers/dashboards/index'
import { form, quarters, solid } from '@flowers/serve/testing/pictures'
import { startProcess, type ServiceProcess } from '@flowers/serve/testing/process'
import { writeFileAtomic } from '@flowers/shared/files'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { startPrometheus, type Prometheus, type Sample } from './prometheus-server.ts'
import { operands, selectors } from './promql.ts'

const missing = spawnSync('prometheus', ['--version']).error !== undefined
if (missing) console.log('skipped: there is no prometheus (Debian: apt install prometheus)')

/** Repeats `look` until it throws nothing; rejects with its last error long after any machine is done. */
const waitFor = <T>(look: () => Promise<T>): Promise<T> => vi.waitFor(look, { interval: 500, timeout: 900_000 })

vi.setConfig({ testTimeout: 1_000_000 })

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
  async function values(exprs: readonly string[]): Promise<Map<string, Sample[]>> {
    const found = new Map<string, Sample[]>()
    const look = async (expr: string): Promise<void> => {
      const samples = (await prometheus.query(fill(expr))).filter(({ value }) => Number.isFinite(Number(value[1])))
      if (samples.length > 0) found.set(expr, samples)
    }
    await waitFor(async () => {
      await Promise.all(exprs.map(look))
      expect(exprs.filter((expr) => !found.has(expr))).toEqual([])
    })
    return found
  }

  it('evaluates every rule, and every operand of every alert has data', async () => {
    await values(['up{job="flowers"} == 1', 'flowers_ready == 1'])
    const rules = await prometheus.rules()
    expect(rules.map(({ type }) => type)).toContain('alerting')
    const sides = rules.flatMap(({ type, query }) => (type === 'alerting' ? operands(query) : [query]))
    await values([...new Set([...sides, ...rules.flatMap(({ query }) => selectors(query))])])
    const failed = (await prometheus.rules()).filter(({ health }) => health !== 'ok')
    expect(failed).toEqual([])
  })

  it('has data for every query of every panel, and for every series in it', async () => {
    expect.hasAssertions()
    const queries = panelQueries()
    const exprs = queries.map(({ expr }) => expr)
    await values([...new Set([...exprs, ...exprs.flatMap((expr) => selectors(fill(expr)))])])
    if (recording) {
      await values(['time() - process_start_time_seconds{job="flowers"} > 60'])
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
      const traces = await waitFor(async () => {
        const held = await prometheus.exemplars(fill(expr))
        expect(held).not.toEqual([])
        return held
      })
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
  stop(): Promise<void>
}

/** Asks for everything that the service answers, some of it in vain, two requests at a time. */
function startLoad(url: string): Load {
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
