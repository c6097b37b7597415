import type { ErrorCode } from '@flowers/shared/errors'
import { viewPolicies } from '@flowers/shared/model/views'
import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { OpenMetricsContentType } from 'prom-client'

/** From `first` to `last` in `count` geometric steps, to three digits, so that they read well as labels. */
export function geometricBuckets(first: number, last: number, count: number): number[] {
  const ratio = (last / first) ** (1 / (count - 1))
  return Array.from({ length: count }, (_, index) => Number((first * ratio ** index).toPrecision(3)))
}

/** Seconds, 1 ms to 60 s: a factor of 1.5, so a quantile read from them is at most that far off. */
export const durationBuckets = geometricBuckets(0.001, 60, 28)

/** What an image goes through, in order. */
export const stages = ['receive', 'decode', 'preprocess', 'queue', 'infer', 'merge'] as const
export type Stage = (typeof stages)[number]

/** The types of prom-client take labels of exemplars from those of the metric. */
type ExemplarLabel = 'trace_id'

/** How a reload may end. */
export const reloadResults = ['done', 'failed'] as const

/** What the service counts and times. Names by https://prometheus.io/docs/practices/naming/. */
export interface Instruments {
  readonly requestSeconds: Histogram<'method' | 'route' | 'status' | ExemplarLabel>
  readonly missedDeadlines: Histogram
  readonly inFlight: Gauge
  readonly stageSeconds: Histogram<'stage' | ExemplarLabel>
  readonly viewSeconds: Histogram<'model'>
  readonly viewsUsed: Histogram<'policy'>
  readonly runViews: Histogram<'model'>
  readonly images: Counter<'result'>
  readonly confidence: Histogram<'model'>
  readonly abstentions: Counter<'model'>
  readonly predictions: Counter<'model' | 'label'>
  readonly classPrior: Gauge<'model' | 'label'>
  readonly steppedDown: Counter<'to'>
  readonly workersLost: Counter<'model'>
  readonly reloads: Counter<'model' | 'result'>
  readonly modelInfo: Gauge<'model' | 'version' | 'architecture'>
}

export type MetricsRegistry = Registry<OpenMetricsContentType>

/** A registry that takes exemplars. */
export function createRegistry(): MetricsRegistry {
  const registry: MetricsRegistry = new Registry()
  registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE)
  return registry
}

/** Results of an image other than ok, abstained, gone and dropped: codes of errors. */
const imageErrors = [
  'IMAGE_EMPTY',
  'IMAGE_UNSUPPORTED',
  'IMAGE_TOO_LARGE',
  'IMAGE_BROKEN',
  'IMAGE_SLOW',
  'SERVICE_NOT_READY',
  'SERVICE_TOO_LATE',
  'SERVICE_WORKER_LOST',
  'MODEL_OUTPUT',
  'INTERNAL',
] as const satisfies readonly ErrorCode[]

/**
 * Makes the instruments in `registry`. What can be known from the start is there from the start, at zero: a rate over
 * a series that begins with its first event would not see that event.
 */
export function createInstruments(registry: MetricsRegistry): Instruments {
  const registers = [registry]
  const instruments: Instruments = {
    requestSeconds: new Histogram({
      name: 'flowers_http_request_duration_seconds',
      help: 'From the headers of a request to the end of its answer; status 499: the client left.',
      labelNames: ['method', 'route', 'status'],
      buckets: durationBuckets,
      enableExemplars: true,
      registers,
    }),
    missedDeadlines: new Histogram({
      name: 'flowers_missed_deadlines_seconds',
      help: 'Time (X-Request-Timeout-Ms or the default) of requests that got SERVICE_TOO_LATE, or SERVICE_DEADLINE_SHORT because an answer takes longer even on an idle service.',
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
      help: 'Of an image: receive the request until it is admitted; decode, with the wait for a thread; preprocess, which is to resize; queue for a worker; infer all its views; merge to an answer. They add up to its total.',
      labelNames: ['stage'],
      buckets: durationBuckets,
      enableExemplars: true,
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
      help: 'Images to classify by result: ok, abstained, gone (the client left), dropped (another image failed the request), or the code of the error. Not those of /explain, which are requests of that route.',
      labelNames: ['result'],
      registers,
    }),
    confidence: new Histogram({
      name: 'flowers_confidence',
      help: 'Calibrated probability of the best class of an answered image.',
      labelNames: ['model'],
      buckets: [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1],
      registers,
    }),
    abstentions: new Counter({
      name: 'flowers_abstentions_total',
      help: 'Answered images that count as out-of-distribution: the model names no class.',
      labelNames: ['model'],
      registers,
    }),
    predictions: new Counter({
      name: 'flowers_predictions_total',
      help: 'Answered images by their best class, abstentions included.',
      labelNames: ['model', 'label'],
      registers,
    }),
    classPrior: new Gauge({
      name: 'flowers_class_prior',
      help: 'Share of the class among the training photos, from the manifest.',
      labelNames: ['model', 'label'],
      registers,
    }),
    steppedDown: new Counter({
      name: 'flowers_stepped_down_total',
      help: 'Images that were answered with a cheaper policy than the one asked, which would have been too late or kept others waiting.',
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
  for (const result of ['ok', 'abstained', 'gone', 'dropped', ...imageErrors]) instruments.images.inc({ result }, 0)
  for (const result of reloadResults) instruments.reloads.inc({ model: 'default', result }, 0)
  for (const policy of viewPolicies) {
    instruments.viewsUsed.zero({ policy })
    instruments.steppedDown.inc({ to: policy }, 0)
  }
  return instruments
}
