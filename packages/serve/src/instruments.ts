import { viewPolicies } from '@flowers/shared/views'
import { Counter, Gauge, Histogram } from 'prom-client'
import type { Registry } from 'prom-client'

/** From `first` to `last` in `count` geometric steps, to three digits, so that they read well as labels. */
export function geometricBuckets(first: number, last: number, count: number): number[] {
  const ratio = (last / first) ** (1 / (count - 1))
  return Array.from({ length: count }, (_, index) => Number((first * ratio ** index).toPrecision(3)))
}

/** Seconds, 1 ms to 60 s: a factor of 1.5, so a quantile read from them is at most that far off. */
export const durationBuckets = geometricBuckets(0.001, 60, 28)

/** What an image goes through, in order. */
export const stages = ['receive', 'decode', 'queue', 'infer', 'merge'] as const
export type Stage = (typeof stages)[number]

/** What the service counts and times. Names by https://prometheus.io/docs/practices/naming/. */
export interface Instruments {
  readonly requestSeconds: Histogram<'method' | 'route' | 'status'>
  readonly inFlight: Gauge
  readonly stageSeconds: Histogram<'stage'>
  readonly viewSeconds: Histogram<'model'>
  readonly viewsUsed: Histogram<'policy'>
  readonly runViews: Histogram<'model'>
  readonly images: Counter<'result'>
  readonly steppedDown: Counter<'to'>
  readonly workersLost: Counter<'model'>
  readonly reloads: Counter<'model' | 'result'>
  readonly modelInfo: Gauge<'model' | 'version' | 'architecture'>
}

/** Makes the instruments in `registry`; every stage and policy is there from the start, at zero. */
export function createInstruments(registry: Registry): Instruments {
  const registers = [registry]
  const instruments: Instruments = {
    requestSeconds: new Histogram({
      name: 'flowers_http_request_duration_seconds',
      help: 'From the headers of a request to the end of its answer; status 499: the client left.',
      labelNames: ['method', 'route', 'status'],
      buckets: durationBuckets,
      registers,
    }),
    inFlight: new Gauge({
      name: 'flowers_http_requests_in_flight',
      help: 'Requests that are being answered.',
      registers,
    }),
    stageSeconds: new Histogram({
      name: 'flowers_stage_duration_seconds',
      help: 'Of an image: receive the request; decode and resize, with the wait for a thread that decodes; queue for a worker; infer all its views; merge to an answer.',
      labelNames: ['stage'],
      buckets: durationBuckets,
      registers,
    }),
    viewSeconds: new Histogram({
      name: 'flowers_view_duration_seconds',
      help: 'Of one view in a worker: normalise and run.',
      labelNames: ['model'],
      buckets: durationBuckets,
      registers,
    }),
    viewsUsed: new Histogram({
      name: 'flowers_views_used',
      help: 'Views that the answer of an image is made of, by the policy that was followed.',
      labelNames: ['policy'],
      buckets: [1, 2, 3, 4, 5, 6, 8, 12, 16],
      registers,
    }),
    runViews: new Histogram({
      name: 'flowers_run_views',
      help: 'Views of one run in a worker: those of one or several images.',
      labelNames: ['model'],
      buckets: [1, 2, 3, 4, 6, 8, 12, 16],
      registers,
    }),
    images: new Counter({
      name: 'flowers_images_total',
      help: 'Images by result: ok, abstained, gone (the client left), or the code of the error.',
      labelNames: ['result'],
      registers,
    }),
    steppedDown: new Counter({
      name: 'flowers_stepped_down_total',
      help: 'Images that were answered with a cheaper policy than the one asked, which would have been too late.',
      labelNames: ['to'],
      registers,
    }),
    workersLost: new Counter({
      name: 'flowers_workers_lost_total',
      help: 'Inference workers that stopped by themselves and were replaced.',
      labelNames: ['model'],
      registers,
    }),
    reloads: new Counter({
      name: 'flowers_model_reloads_total',
      help: 'Reloads of models by result: done, or failed, after which the version before goes on.',
      labelNames: ['model', 'result'],
      registers,
    }),
    modelInfo: new Gauge({
      name: 'flowers_model_info',
      help: '1 for each model that is loaded.',
      labelNames: ['model', 'version', 'architecture'],
      registers,
    }),
  }
  for (const stage of stages) instruments.stageSeconds.zero({ stage })
  for (const policy of viewPolicies) {
    instruments.viewsUsed.zero({ policy })
    instruments.steppedDown.inc({ to: policy }, 0)
  }
  return instruments
}
