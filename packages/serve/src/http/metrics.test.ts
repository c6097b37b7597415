import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { levels } from '@flowers/shared/model/calibration'
import type { Manifest } from '@flowers/shared/model/manifest'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { durationBuckets, stages } from '../observe/instruments.ts'
import type { ClassifyAnswer, ExplainAnswer } from './schemas.ts'
import { form, solid } from '../testing/pictures.ts'
import { startService, testModels, type RunningService } from '../testing/service.ts'

const openMetrics = 'application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5'
const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'

let service: RunningService
beforeAll(async () => (service = await startService()))
afterAll(() => service.close())

async function ask<T>(path: string, body: FormData | string, headers: Record<string, string> = {}): Promise<T> {
  const response = await fetch(`${service.url}${path}`, { method: 'POST', body, headers })
  expect(response.status).toBe(200)
  return (await response.json()) as T
}

async function metrics(accept = 'text/plain'): Promise<{ type: string; text: string }> {
  const response = await fetch(`${service.url}/metrics`, { headers: { accept } })
  return { type: response.headers.get('content-type')!, text: await response.text() }
}

async function manifest(model: string): Promise<Manifest> {
  return JSON.parse(await readFile(join(testModels, model, '1', 'manifest.json'), 'utf8')) as Manifest
}

describe('GET /metrics', () => {
  it('has everything that can be counted from the start, at zero', async () => {
    const { labels, classPrior } = await manifest('tiny')
    for (const [index, label] of labels.entries()) {
      expect(await service.metric(`flowers_predictions_total{model="tiny",label="${label}"}`)).toBe(0)
      expect(await service.metric(`flowers_class_prior{model="tiny",label="${label}"}`)).toBe(classPrior[index])
    }
    for (const series of [
      'flowers_abstentions_total{model="tiny"}',
      ...levels.map((level) => `flowers_answers_total{model="tiny",level="${level}"}`),
      'flowers_confidence_count{model="tiny"}',
      'flowers_images_total{result="IMAGE_BROKEN"}',
      'flowers_model_reloads_total{model="tiny",result="failed"}',
      'flowers_model_reloads_total{model="default",result="failed"}',
      'flowers_queue_age_seconds',
      ...['/classify', '/explain', '/v2/models/:name/infer', '/v2/models/:name/versions/:version/infer'].flatMap(
        (route) =>
          ['200', '500', '503', '504'].map(
            (status) =>
              `flowers_http_request_duration_seconds_count{method="POST",route="${route}",status="${status}"}`,
          ),
      ),
    ]) {
      expect([series, await service.metric(series)]).toEqual([series, 0])
    }
    expect(await service.metric('flowers_memory_limit_bytes')).toBeGreaterThan(1e6)
    const { text } = await metrics()
    expect(text).not.toContain('route="/livez",status="500"')
  })

  it('times the stages of each image so that they add up to its total', async () => {
    const picture = await solid('red')
    const one = await ask<ClassifyAnswer>('/classify', form(picture))
    const two = await ask<{ results: ClassifyAnswer[] }>('/classify', form(picture, await solid('lime')))
    const explained = await ask<ExplainAnswer>('/explain', form(picture))
    const totals = [one, ...two.results, explained].map(({ timings }) => timings.total)
    const sums = await Promise.all(
      stages.map(async (stage) => (await service.metric(`flowers_stage_duration_seconds_sum{stage="${stage}"}`))!),
    )
    for (const [index, stage] of stages.entries()) {
      expect([stage, await service.metric(`flowers_stage_duration_seconds_count{stage="${stage}"}`)]).toEqual([
        stage,
        4,
      ])
      expect(sums[index]).toBeGreaterThan(0)
    }
    // Answers are rounded to 0.01 ms.
    const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)
    expect(Math.abs(sum(sums) * 1000 - sum(totals))).toBeLessThan(0.005 * totals.length + 1e-6)

    const image = { name: 'image', datatype: 'BYTES', shape: [1], data: [picture.toString('base64')] }
    await ask('/v2/models/tiny/infer', JSON.stringify({ inputs: [image] }))
    for (const stage of stages) {
      expect([stage, await service.metric(`flowers_stage_duration_seconds_count{stage="${stage}"}`)]).toEqual([
        stage,
        5,
      ])
    }
  })

  it('counts answers by level, and those that are refused under the earlier name too', async () => {
    const counted = async (): Promise<(number | undefined)[]> =>
      Promise.all(
        [
          'flowers_answers_total{model="tiny",level="none"}',
          'flowers_answers_total{model="tiny",level="sure"}',
          'flowers_answers_total{model="tiny",level="perhaps"}',
          'flowers_abstentions_total{model="tiny"}',
        ].map((series) => service.metric(series)),
      )
    const [none, sure, perhaps, abstained] = await counted()
    await ask('/classify', form(await solid('red'), await solid('gray'), await solid('gray')))
    expect(await counted()).toEqual([none! + 2, sure! + 1, perhaps, abstained! + 2])
    expect(await service.metric('flowers_level_share{model="tiny",level="none"}')).toBe(0.05)
  })

  it('counts answers by class, confidence and abstention', async () => {
    const before = await service.metric('flowers_confidence_count{model="tiny"}')
    const red = await service.metric('flowers_predictions_total{model="tiny",label="red"}')
    const abstained = await service.metric('flowers_abstentions_total{model="tiny"}')
    await ask('/classify', form(await solid('red')))
    const unsure = await ask<ClassifyAnswer>('/classify', form(await solid('gray')))
    expect(unsure.abstain).toBe(true)
    expect(await service.metric('flowers_confidence_count{model="tiny"}')).toBe(before! + 2)
    expect(await service.metric('flowers_predictions_total{model="tiny",label="red"}')).toBe(
      red! + 1 + Number(unsure.predictions[0]!.label === 'red'),
    )
    expect(await service.metric('flowers_abstentions_total{model="tiny"}')).toBe(abstained! + 1)
  })

  it('is OpenMetrics for who asks for it, with the traces of callers as exemplars', async () => {
    const traceparent = `00-${traceId}-00f067aa0ba902b7-01`
    const { timings } = await ask<ClassifyAnswer>('/classify', form(await solid('red')), { traceparent })
    const { type, text } = await metrics(openMetrics)
    expect(type).toBe('application/openmetrics-text; version=1.0.0; charset=utf-8')
    expect(text).toMatch(/\n# EOF\n$/)
    expect(text).toContain('# TYPE flowers_images counter\nflowers_images_total{result="ok"}')
    const seen = text.split('\n').filter((line) => line.includes(`# {trace_id="${traceId}"}`))
    for (const stage of stages) expect(seen.filter((line) => line.includes(`stage="${stage}"`))).toHaveLength(1)
    const request = seen.find((line) => /^flowers_http_\w+_bucket\{.*route="\/classify",status="200"/.test(line))
    const [, le, seconds] = /le="([^"]+)".* # \{.*\} (\S+) \d+(?:\.\d+)?$/.exec(request!)!
    expect(Number(seconds) * 1000).toBeGreaterThanOrEqual(timings.total - 0.01)
    expect(Number(seconds)).toBeLessThanOrEqual(Number(le))
    const place = durationBuckets.indexOf(Number(le))
    expect(Number(seconds)).toBeGreaterThan(durationBuckets[place - 1] ?? 0)
  })

  it.each([
    // Prometheus 3.5 with its default settings.
    [
      'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2',
      'application/openmetrics-text',
    ],
    ['application/openmetrics-text', 'application/openmetrics-text'],
    ['application/openmetrics-text;q=0.1, text/plain', 'text/plain'],
    ['application/openmetrics-text;version=2.0.0', 'text/plain'],
    ['*/*', 'text/plain'],
  ])('to Accept: %s it answers with %s', async (accept, type) => {
    expect((await metrics(accept)).type).toContain(type)
  })

  it('is the older text format for everyone else, also after OpenMetrics was asked for', async () => {
    const { text: newer } = await metrics(openMetrics)
    const { type, text } = await metrics()
    expect(type).toBe('text/plain; version=0.0.4; charset=utf-8')
    expect(text).not.toMatch(/EOF|trace_id/)
    expect(text).toMatch(
      /^# HELP flowers_images_total Images .*\n# TYPE flowers_images_total counter\nflowers_images_total\{/m,
    )
    const series = (from: string): string[] =>
      from.split('\n').flatMap((line) => /^(?!#)(\S+?(?:\{.*?\})?) /.exec(line)?.[1] ?? [])
    // A garbage collection between the two answers may add series of the process: of those, the metrics are the same.
    const lasting = (from: string): Set<string> =>
      new Set(series(from).map((name) => (name.startsWith('nodejs_') ? name.replace(/\{.*/, '') : name)))
    expect([...lasting(text)]).toEqual([...lasting(newer)])
    expect(series(text).length).toBeGreaterThan(300)
  })
})
