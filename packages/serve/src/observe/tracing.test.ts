import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, it } from 'vitest'
import { form, solid } from '../testing/pictures.ts'
import { startProcess } from '../testing/process.ts'

interface Span {
  traceId: string
  spanId: string
  parentSpanId?: string
  name: string
  startTimeUnixNano: string
  endTimeUnixNano: string
  attributes: { key: string; value: { stringValue?: string; intValue?: number } }[]
}

it('sends the spans of each stage to a collector, in the trace of the caller, and none of probes', async () => {
  const spans: Span[] = []
  const services: unknown[] = []
  const logged: (string | undefined)[] = []
  const collector = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      expect(request.url).toBe('/v1/traces')
      const { resourceSpans } = JSON.parse(Buffer.concat(chunks).toString()) as {
        resourceSpans: { resource: { attributes: unknown[] }; scopeSpans: { spans: Span[] }[] }[]
      }
      services.push(...resourceSpans.flatMap(({ resource }) => resource.attributes))
      spans.push(...resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans)))
      response.setHeader('content-type', 'application/json').end('{}')
    })
  })
  await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve))
  const endpoint = `http://127.0.0.1:${(collector.address() as AddressInfo).port}/`
  const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'
  const caller = '00f067aa0ba902b7'
  try {
    // As a process: the test runner would load a form of these packages that Node does not take.
    const service = await startProcess({ OTEL_EXPORTER_OTLP_ENDPOINT: endpoint })
    const picture = await solid('red')
    const ask = (traceparent?: string) =>
      fetch(`${service.url}/classify?tta=none`, {
        method: 'POST',
        body: form(picture),
        headers: traceparent === undefined ? {} : { traceparent },
      })
    expect((await ask(`00-${traceId}-${caller}-01`)).status).toBe(200)
    expect((await ask(`00-${'1'.repeat(32)}-${caller}-00`)).status).toBe(200)
    expect((await ask()).status).toBe(200)
    await fetch(`${service.url}/livez`)
    expect(await service.stop()).toBe(0)
    const lines = service
      .log()
      .split('\n')
      .flatMap((line) => (line.includes('"/classify?') ? [JSON.parse(line) as { traceId?: string }] : []))
    logged.push(...lines.map((line) => line.traceId))
  } finally {
    collector.close()
  }

  const followed = spans.filter((span) => span.traceId === traceId)
  const request = followed.find(({ name }) => name === 'POST /classify')!
  expect(request.parentSpanId).toBe(caller)
  expect(Object.fromEntries(request.attributes.map(({ key, value }) => [key, Object.values(value)[0]]))).toEqual({
    'http.request.method': 'POST',
    'http.response.status_code': 200,
    'http.route': '/classify',
  })
  const stages = followed.filter((span) => span !== request)
  expect(stages.map(({ name }) => name).sort()).toEqual([
    'decode',
    'infer',
    'merge',
    'normalise',
    'preprocess',
    'queue',
    'receive',
  ])
  for (const stage of stages) {
    expect(stage.parentSpanId).toBe(request.spanId)
    expect(BigInt(stage.endTimeUnixNano) - BigInt(stage.startTimeUnixNano)).toBeGreaterThanOrEqual(0n)
    expect(BigInt(stage.startTimeUnixNano)).toBeGreaterThanOrEqual(BigInt(request.startTimeUnixNano))
  }
  const traces = new Set(spans.map((span) => span.traceId))
  expect(traces.size).toBe(2)
  traces.delete(traceId)
  // The second is not recorded, but its caller knows it by this; the last has a trace of its own.
  expect(logged).toEqual([traceId, '1'.repeat(32), ...traces])
  expect(spans.filter(({ name }) => name.startsWith('POST'))).toHaveLength(2)
  expect(spans.some(({ name }) => name.includes('livez'))).toBe(false)
  expect(services).toContainEqual({ key: 'service.name', value: { stringValue: 'flowers' } })
})
