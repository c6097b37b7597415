import type { Decoder, SharedCanvas } from '@flowers/shared/image/decode-threads'
import type { ImageLimits } from '@flowers/shared/image/decode'
import { scalesOf, type View } from '@flowers/shared/image/view'
import { SharedError } from '@flowers/shared/errors'
import { answer, type Answer, type AnswerRules } from '@flowers/shared/model/calibration'
import { argmax, softmax, type ViewPolicy } from '@flowers/shared/model/views'
import type { Instruments } from '../observe/instruments.ts'
import type { Stopwatch } from '../observe/stopwatch.ts'
import type { UsualNeeds } from './admission.ts'
import { classMaps, timingsOf, type Classification, type Explanation, type ViewAnswer } from './answers.ts'
import type { LoadedModel } from './load-model.ts'
import type { ViewInput } from './messages.ts'
import type { Scheduler, Ticket, Workers } from './scheduler/scheduler.ts'
import { inferViews } from './views.ts'
import { ServiceError } from '../errors.ts'

/** An image with its place in the queue. */
export interface AdmittedImage {
  readonly bytes: Uint8Array
  readonly ticket: Ticket
  /** Aborted when nobody waits for the answer any more: nothing is started after that. */
  readonly signal: AbortSignal
  readonly watch: Stopwatch
}

export interface AnsweringOptions {
  readonly scheduler: Scheduler
  readonly decoder: Decoder
  /** Threads of the decoder. */
  readonly decodeThreads: number
  /** Of an image. */
  readonly limits: ImageLimits
  readonly instruments: Instruments
}

/** The way of one admitted image to its answer: decode, wait for a worker, infer, merge. */
export class Answering {
  readonly #model: Pick<LoadedModel, 'manifest' | 'pool'>
  readonly #rules: AnswerRules
  readonly #workers: Workers
  readonly #usual: UsualNeeds
  readonly #options: AnsweringOptions

  constructor(
    model: Pick<LoadedModel, 'manifest' | 'names' | 'pool'>,
    workers: Workers,
    usual: UsualNeeds,
    options: AnsweringOptions,
  ) {
    this.#model = model
    const { labels, calibration } = model.manifest
    this.#rules = { labels, calibration, groups: model.names.groups }
    this.#workers = workers
    this.#usual = usual
    this.#options = options
  }

  /** Pictures, its own included, that a thread decodes until one that comes now is decoded. */
  get decodeTurns(): number {
    const { decoder, decodeThreads } = this.#options
    return 1 + decoder.waiting() / decodeThreads
  }

  /** Infers views until `policy` lets go, and merges them. Rejects as `Classifier.classify` says. */
  async classify(
    image: AdmittedImage,
    { policy, topK, details }: { policy: ViewPolicy; topK: number; details: boolean },
  ): Promise<Classification> {
    const { ticket, signal, watch } = image
    const { manifest } = this.#model
    const { name, version, views, calibration } = manifest
    const turns = this.decodeTurns
    const inputs = await this.#inputs(image, policy === 'none' ? views.slice(0, 1) : views)
    const { decode, preprocess } = watch.milliseconds
    this.#usual.decoded((decode + preprocess) / 1000 / turns)
    let first = Infinity
    let known = null as number | null
    const said: ViewAnswer[] = []
    const { probabilities, used, of } = await inferViews(
      { policy, of: views.length, fast: calibration.fastLead },
      {
        spare: () => this.#options.scheduler.spare(this.#workers),
        run: (indices) => {
          const inputsOf = indices.map((index) => inputs[index]!)
          return ticket.run(this.#workers, inputsOf, signal).map(async (running, place) => {
            const { logits, started, prepareSeconds, ...outcome } = await running
            first = Math.min(first, started)
            watch.trace?.span('normalise', started, started + prepareSeconds * 1000)
            const index = indices[place]!
            if (index === 0 && calibration.known) known = outcome.known
            if (details) said[index] = this.#viewAnswer(views[index]!, logits)
            return logits
          })
        },
      },
    )
    watch.lap('queue', first)
    watch.lap('infer')
    this.#usual.answered(policy, used)
    if (known !== null && !Number.isFinite(known))
      throw new SharedError('MODEL_OUTPUT', 'The output known of the network is not a number.')
    const content = answer({ mean: probabilities, used, known }, this.#rules, topK)
    this.#count(policy, used, content)
    watch.lap('merge')
    const viewDetails = { views: said.slice(0, used), coverage: calibration.conformal?.coverage ?? null }
    return {
      model: { name, version },
      ...content,
      views: { used, of, policy },
      ...(details ? { details: viewDetails } : {}),
      timings: timingsOf(watch),
    }
  }

  /** Class maps of the plain view, of these labels or of the best class. Rejects as `Classifier.explain` says. */
  async explain(image: AdmittedImage, labels: readonly string[]): Promise<Explanation> {
    const { ticket, signal, watch } = image
    const { manifest, pool } = this.#model
    const { name, version } = manifest
    if (!pool.explains) throw new ServiceError('MODEL_WITHOUT_MAPS', `The model ${name} has no class maps.`)
    const wanted = labels.map((label) => this.#indexOf(label))
    const [canvas] = await this.#canvases(image, [1])
    const view: ViewInput = { flip: 'none', pixels: canvas!.pixels.buffer, maps: true }
    const { logits, maps, started } = await ticket.run(this.#workers, [view], signal)[0]!
    watch.lap('queue', started)
    watch.lap('infer')
    const { height, width } = maps!
    const indices = wanted.length > 0 ? wanted : [argmax(logits)]
    const ofClasses = classMaps(maps!, logits, manifest.labels, indices)
    watch.lap('merge')
    return { model: { name, version }, canvas: canvas!, height, width, maps: ofClasses, timings: timingsOf(watch) }
  }

  #indexOf(label: string): number {
    const { name, labels } = this.#model.manifest
    const index = labels.indexOf(label)
    if (index >= 0) return index
    throw new ServiceError('SERVICE_PARAMETER', `The model ${name} has no label ${JSON.stringify(label)}.`)
  }

  /** What tells in the metrics how good answers are, where nobody says which are right. */
  #count(policy: ViewPolicy, used: number, { predictions, level, abstain }: Answer): void {
    const { viewsUsed, confidence, answers, abstentions, predictions: counted } = this.#options.instruments
    const model = this.#model.manifest.name
    const best = predictions[0]!
    viewsUsed.observe({ policy }, used)
    confidence.observe({ model }, best.score)
    answers.inc({ model, level })
    abstentions.inc({ model }, abstain ? 1 : 0)
    counted.inc({ model, label: best.label })
  }

  #viewAnswer(view: View, logits: ArrayLike<number>): ViewAnswer {
    const best = answer({ mean: softmax(logits), used: 1, known: null }, this.#rules, 1).predictions[0]!
    return { ...view, ...best }
  }

  async #inputs(image: AdmittedImage, views: readonly View[]): Promise<ViewInput[]> {
    const scales = scalesOf(views)
    const canvases = await this.#canvases(image, scales)
    return views.map(({ flip, scale }, index) => ({
      flip,
      pixels: canvases[scales.indexOf(scale)]!.pixels.buffer,
      // The first view is the plain one, which every policy runs.
      known: index === 0 && !!this.#rules.calibration.known,
    }))
  }

  async #canvases({ bytes, signal, watch }: AdmittedImage, scales: readonly number[]): Promise<SharedCanvas[]> {
    const { decoder, limits } = this.#options
    const { preprocessing } = this.#model.manifest
    const { canvases, resizeSeconds } = await decoder.decodeViews(bytes, preprocessing, scales, { limits, signal })
    watch.lap('decode', performance.now() - resizeSeconds * 1000)
    watch.lap('preprocess')
    return canvases
  }
}
