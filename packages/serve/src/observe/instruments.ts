import type { ProblemCode } from '../errors.ts'
import { viewPolicies } from '@flowers/shared/model/views'
import { Counter, Gauge, Histogram, Registry, type OpenMetricsContentType } from 'prom-client'

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
] as const satisfies readonly ProblemCode[]

/** What the service counts and times. Names by https://prometheus.io/docs/practices/naming/. */
export type Instruments = ReturnType<typeof createInstruments>

/**
 * Makes the instruments in `registry`. What can be known from the start is there from the start, at zero: a rate over
 * a series that begins with its first event would not see that event.
 */
export function createInstruments(registry: MetricsRegistry) {
  const registers = [registry]
  const counter = <Label extends string>(name: string, help: string, labelNames: Label[]) =>
    new Counter({ name, help, labelNames, registers })
  const gauge = <Label extends string>(name: string, help: string, labelNames: Label[]) =>
    new Gauge({ name, help, labelNames, registers })
  const histogram = <Label extends string>(name: string, help: string, labelNames: Label[], buckets: number[]) =>
    new Histogram({ name, help, labelNames, buckets, registers })
  const timed = <Label extends string>(name: string, help: string, labelNames: (Label | ExemplarLabel)[]) =>
    new Histogram({ name, help, labelNames, buckets: durationBuckets, enableExemplars: true, registers })
  const instruments = {
    requestSeconds: timed<'method' | 'route' | 'status'>(
      'flowers_http_request_duration_seconds',
      'From the headers of a request to the end of its answer; status 499: the client left.',
      ['method', 'route', 'status'],
    ),
    missedDeadlines: histogram(
      'flowers_missed_deadlines_seconds',
      'Time (X-Request-Timeout-Ms or the default) of requests that got SERVICE_TOO_LATE, or SERVICE_DEADLINE_SHORT because an answer takes longer even on an idle service.',
      [],
      durationBuckets,
    ),
    inFlight: gauge('flowers_http_requests_in_flight', 'Requests that are being answered.', []),
    stageSeconds: timed<'stage'>(
      'flowers_stage_duration_seconds',
      'Of an image: receive the request until it is admitted; decode, with the wait for a thread; preprocess, which is to resize; queue for a worker; infer all its views; merge to an answer. They add up to its total.',
      ['stage'],
    ),
    viewSeconds: histogram(
      'flowers_view_duration_seconds',
      'Of one view in a worker: normalise and run.',
      ['model'],
      durationBuckets,
    ),
    viewsUsed: histogram(
      'flowers_views_used',
      'Views that the answer of an image is made of, by the policy that was followed.',
      ['policy'],
      [1, 2, 3, 4, 5, 6, 8, 12, 16],
    ),
    runViews: histogram(
      'flowers_run_views',
      'Views that a worker runs at once.',
      ['model'],
      [1, 2, 3, 4, 6, 8, 12, 16],
    ),
    images: counter(
      'flowers_images_total',
      'Images to classify by result: ok, abstained, gone (the client left), dropped (another image failed the request), or the code of the error. Not those of /explain, which are requests of that route.',
      ['result'],
    ),
    confidence: histogram(
      'flowers_confidence',
      'Probability of the best class of an answered image, calibrated where the model has a temperature.',
      ['model'],
      [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1],
    ),
    answers: counter(
      'flowers_answers_total',
      'Answered images by level: none (refused as none of the classes), sure (known, and the conformal set has one label), perhaps (the rest).',
      ['model', 'level'],
    ),
    levelShare: gauge(
      'flowers_level_share',
      'Share of its validation photos that the model answers at a level, as its manifest says; of a model of an earlier release only none, of the photos that it names rightly. Levels that were not measured are absent.',
      ['model', 'level'],
    ),
    abstentions: counter(
      'flowers_abstentions_total',
      'Answered images of level none: flowers_answers_total of that level, under the name of earlier releases.',
      ['model'],
    ),
    predictions: counter('flowers_predictions_total', 'Answered images by their best class, abstentions included.', [
      'model',
      'label',
    ]),
    classPrior: gauge('flowers_class_prior', 'Share of the class among training photos.', ['model', 'label']),
    steppedDown: counter(
      'flowers_stepped_down_total',
      'Images that were answered with a cheaper policy than the one asked, which would have been too late or kept others waiting.',
      ['to'],
    ),
    workersLost: counter('flowers_workers_lost_total', 'Inference workers that stopped and were replaced.', ['model']),
    reloads: counter(
      'flowers_model_reloads_total',
      'Reloads of models by result: done, or failed, after which the version before goes on.',
      ['model', 'result'],
    ),
    modelInfo: gauge('flowers_model_info', '1 for each model that is loaded.', ['model', 'version', 'architecture']),
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
