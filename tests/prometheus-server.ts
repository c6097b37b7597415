import { spawn } from 'node:child_process'
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePort } from './free-port.ts'

/** One series of an answer, with its newest value. */
export interface Sample {
  readonly metric: Readonly<Record<string, string>>
  readonly value: readonly [time: number, value: string]
}

export interface Rule {
  readonly type: 'alerting' | 'recording'
  readonly name: string
  readonly query: string
  readonly health: string
  readonly lastError?: string
}

/** A Prometheus of this machine. */
export interface Prometheus {
  /** What an expression gives now; empty while it does not answer. Rejects when the expression is refused. */
  query(expr: string): Promise<Sample[]>
  /** Traces that it holds for the series of an expression. */
  exemplars(expr: string): Promise<string[]>
  /** Values of a label among the series of a selector. */
  labelValues(selector: string, label: string): Promise<string[]>
  rules(): Promise<Rule[]>
  stop(): Promise<void>
}

/**
 * Starts the `prometheus` of this machine with the files of deploy/prometheus, so that it scrapes the service at `url`.
 * The clock is the only thing that differs from a cluster's: it looks every half second.
 */
export async function startPrometheus(url: string): Promise<Prometheus> {
  const folder = await mkdtemp(join(tmpdir(), 'flowers-prometheus-'))
  const address = `127.0.0.1:${await freePort()}`
  await cp(fileURLToPath(new URL('../deploy/prometheus', import.meta.url)), folder, { recursive: true })
  await writeFile(join(folder, 'targets', 'compose.yml'), `- targets: ['${new URL(url).host}']\n`)
  const settings = await readFile(join(folder, 'prometheus.yml'), 'utf8')
  if (settings.match(/interval: 15s/g)?.length !== 2) throw new Error('prometheus.yml has other intervals')
  await writeFile(join(folder, 'prometheus.yml'), settings.replaceAll('interval: 15s', 'interval: 500ms'))
  const prometheus = spawn(
    'prometheus',
    [
      `--config.file=${join(folder, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=${address}`,
      '--enable-feature=exemplar-storage',
      '--log.level=error',
    ],
    { stdio: ['ignore', 'inherit', 'inherit'] },
  )
  const ended = new Promise((resolve) => prometheus.once('exit', resolve))
  const get = async <T>(path: string, parameters: Record<string, string> = {}): Promise<T | undefined> => {
    const query = new URLSearchParams(parameters).toString()
    const response = await fetch(`http://${address}/api/v1/${path}?${query}`).catch(() => null)
    if (!response || response.status === 503) return undefined
    const answer = (await response.json()) as { data: T; error?: string }
    if (!response.ok) throw new Error(`${answer.error}: ${JSON.stringify(parameters)}`)
    return answer.data
  }
  return {
    query: async (expr) => (await get<{ result: Sample[] }>('query', { query: expr }))?.result ?? [],
    exemplars: async (expr) => {
      const end = String(Date.now() / 1000 + 60)
      const found = await get<{ exemplars: { labels: { trace_id: string } }[] }[]>('query_exemplars', {
        query: expr,
        start: '0',
        end,
      })
      return (found ?? []).flatMap(({ exemplars }) => exemplars.map(({ labels }) => labels.trace_id))
    },
    labelValues: async (selector, label) =>
      (await get<string[]>(`label/${label}/values`, { 'match[]': selector })) ?? [],
    rules: async () => {
      const found = await get<{ groups: { rules: Rule[] }[] }>('rules')
      return (found?.groups ?? []).flatMap((group) => group.rules)
    },
    stop: async () => {
      prometheus.kill('SIGTERM')
      await ended
      await rm(folder, { recursive: true })
    },
  }
}
