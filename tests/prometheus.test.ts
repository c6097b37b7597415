import { spawn, spawnSync } from 'node:child_process'
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { solid } from '@flowers/serve/testing/pictures'
import { startService, until } from '@flowers/serve/testing/service'
import { expect, it } from 'vitest'

const missing = spawnSync('prometheus', ['--version']).error !== undefined
if (missing) console.log('skipped: there is no prometheus (Debian: apt install prometheus)')

interface Answer {
  readonly data: { readonly result: readonly { readonly value: readonly [number, string] }[] }
}

it.skipIf(missing)('Prometheus scrapes the service with the files of deploy/ and evaluates every rule', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'flowers-prometheus-'))
  const service = await startService()
  const address = `127.0.0.1:${await freePort()}`
  await cp(fileURLToPath(new URL('../deploy/prometheus', import.meta.url)), folder, { recursive: true })
  await writeFile(join(folder, 'targets', 'compose.yml'), `- targets: ['${new URL(service.url).host}']\n`)
  // The clock is the only thing that differs from a cluster's.
  const settings = await readFile(join(folder, 'prometheus.yml'), 'utf8')
  expect(settings.match(/interval: 15s/g)).toHaveLength(2)
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
  const ask = async (query: string): Promise<number | undefined> => {
    const response = await fetch(`http://${address}/api/v1/query?query=${encodeURIComponent(query)}`).catch(() => null)
    if (!response?.ok) return undefined
    const value = ((await response.json()) as Answer).data.result[0]?.value[1]
    return value === undefined ? undefined : Number(value)
  }
  try {
    const picture = await solid('#ff0000')
    await until(async () => {
      await fetch(`${service.url}/classify`, { method: 'POST', body: new Uint8Array(picture) })
      return (await ask('flowers:queue_seconds:mean2m')) !== undefined
    })
    expect(await ask('up{job="flowers"}')).toBe(1)
    expect(await ask('flowers_ready')).toBe(1)
    expect(await ask('flowers:queue_seconds:mean2m')).toBeGreaterThanOrEqual(0)
    const rules = (await (await fetch(`http://${address}/api/v1/rules`)).json()) as {
      data: { groups: { rules: { name: string; health: string; lastError?: string }[] }[] }
    }
    const all = rules.data.groups.flatMap((group) => group.rules)
    expect(all.length).toBeGreaterThan(0)
    expect(all.filter(({ health }) => health === 'err')).toEqual([])
  } finally {
    prometheus.kill('SIGTERM')
    await ended
    await service.close()
    await rm(folder, { recursive: true })
  }
})

async function freePort(): Promise<number> {
  const server = createServer()
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })
}
