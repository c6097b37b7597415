import { createHash } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { View } from '@flowers/shared/image/view'
import * as tf from '@tensorflow/tfjs-core'
import type { Sample } from '../dataset/dataset.ts'
import { validBatches } from '../input/loader.ts'
import type { Batch } from '../input/loader.ts'
import type { Model } from '../model/architecture.ts'
import { Random } from '@flowers/shared/random'
import type { Phase, PhaseName, Recipe } from '../recipe/schema.ts'
import { showWork } from '../console/bar.ts'
import { inference } from '../model/inference.ts'
import { bytes, castToFloat, compile } from '@flowers/tensorflow'
import type { Compiled } from '@flowers/tensorflow'
import { FeatureFile } from './feature-file.ts'
import type { FeaturePlace } from './feature-file.ts'
import { onFeatures } from './step.ts'
import { flipped, photosAtOnce, summarize } from './validate.ts'
import type { Validation } from './validate.ts'
import type { TrainingVariables } from './variables.ts'

/** A batch whose photos are given by the features of one of their views, [N, width] one after the other. */
export type FeatureBatch = Omit<Batch, 'pixels' | 'size'> & { readonly features: Float32Array }

export interface CachedHeadOptions {
  /** Where the features are kept while the phase runs. */
  readonly folder: string
  readonly name: PhaseName
  readonly phase: Phase
  readonly recipe: Pick<Recipe, 'preprocessing' | 'views' | 'seed'>
  readonly model: Model
  readonly variables: TrainingVariables
  readonly dataset: {
    readonly train: readonly Sample[]
    readonly valid: readonly Sample[]
    readonly sha256: string
  }
  /** What validation asks for. */
  readonly validViews: readonly View[]
  readonly signal: AbortSignal
}

/** Feature vectors that are classified at one time. */
const rowsAtOnce = 256

type Place = 'train' | 'valid'

/**
 * Trains and validates a head on pooled features that the frozen backbone has computed once for each view, through the
 * preprocessing of the service. The backbone acts as in validation: no stochastic depth, float32. The features lie in
 * the run folder until the phase is over, so that a resumed run goes on with the same.
 */
export class CachedHead {
  readonly #options: CachedHeadOptions
  readonly #files = new Map<Place, Promise<FeatureFile>>()
  readonly #scorer: Compiled<[tf.Tensor], { probabilities: tf.Tensor }>
  #backboneHash: Promise<string> | undefined

  constructor(options: CachedHeadOptions) {
    this.#options = options
    const { model, variables } = options
    this.#scorer = compile(
      (features: tf.Tensor) => {
        const context = inference((name) => variables.best(name).read())
        return { probabilities: tf.softmax(model.classify(onFeatures(features), context)) }
      },
      { name: 'score_features' },
    )
  }

  /** Computes the features of the training photos, unless they are there. */
  async prepare(): Promise<void> {
    await this.#features('train')
  }

  /** Batches of an epoch, full ones only, as `trainBatches` makes them; the view of a photo is drawn in place of its crop. */
  async *batches({
    order,
    epoch,
    startStep,
  }: {
    order: Int32Array
    epoch: number
    startStep: number
  }): AsyncGenerator<FeatureBatch> {
    const { dataset, phase, recipe } = this.#options
    const { batch } = phase
    const file = await this.#features('train')
    for (let step = startStep; step < Math.floor(order.length / batch); step++) {
      const places = Array.from(order.subarray(step * batch, (step + 1) * batch), (photo, place) => ({
        photo,
        view: new Random(recipe.seed, 'crop', epoch, step * batch + place).integer(file.views.length),
      }))
      const samples = places.map(({ photo }) => dataset.train[photo]!)
      const labels = Int32Array.from(samples, ({ index }) => index)
      yield { features: await file.read(places), labels, samples, step }
    }
  }

  /** As `ValidationSet.score`; `views` are the plain one or those of the phase's test-time augmentation. */
  async score(views: readonly View[]): Promise<Validation> {
    const { dataset, signal } = this.#options
    const { valid } = dataset
    const file = await this.#features('valid')
    const sums: Float32Array[] = []
    for (const { flip, scale } of views) {
      const view = file.views.findIndex((known) => known.flip === flip && known.scale === scale)
      for (let first = 0; first < valid.length; first += rowsAtOnce) {
        signal.throwIfAborted()
        const places = valid.slice(first, first + rowsAtOnce).map((_, index) => ({ photo: first + index, view }))
        const rows = await this.#probabilities(file, places)
        rows.forEach((row, index) => {
          const sum = sums[first + index]
          sums[first + index] = sum ? sum.map((value, place) => value + row[place]!) : row
        })
      }
    }
    return summarize(sums, valid, views.length)
  }

  /** Frees what the phase needed, but for the features on the disk. */
  async close(): Promise<void> {
    this.#scorer.dispose()
    for (const file of this.#files.values()) {
      await file.then(
        (opened) => opened.close(),
        () => undefined,
      )
    }
  }

  /** Deletes the features once the phase is over. */
  async remove(): Promise<void> {
    for (const place of ['train', 'valid'] as const) await rm(this.#path(place), { force: true })
  }

  async #probabilities(file: FeatureFile, places: readonly FeaturePlace[]): Promise<Float32Array[]> {
    // A short last batch is padded: another shape would be traced anew.
    const padded = new Float32Array(rowsAtOnce * file.width)
    padded.set(await file.read(places))
    const features = tf.tensor2d(padded, [rowsAtOnce, file.width])
    const { probabilities } = await this.#scorer.run(features)
    const values = (await probabilities.data()) as Float32Array
    tf.dispose([features, probabilities])
    const classes = values.length / rowsAtOnce
    return places.map((_, index) => values.slice(index * classes, (index + 1) * classes))
  }

  /** Computed at the first call, or left by a run that was stopped. */
  #features(place: Place): Promise<FeatureFile> {
    const known = this.#files.get(place) ?? this.#open(place)
    this.#files.set(place, known)
    return known
  }

  async #open(place: Place): Promise<FeatureFile> {
    const { dataset, model } = this.#options
    return FeatureFile.open(this.#path(place), {
      photos: dataset[place].length,
      views: this.#views(place),
      width: model.featureCount,
      key: await this.#key(place),
      compute: (scale, flips) => this.#compute(place, scale, flips),
    })
  }

  #views(place: Place): readonly View[] {
    const { phase, recipe, validViews } = this.#options
    return place === 'valid' ? validViews : (phase.featureViews ?? recipe.views)
  }

  async *#compute(place: Place, scale: number, flips: readonly View['flip'][]): AsyncGenerator<Float32Array> {
    const { dataset, model, name, phase, recipe, signal, variables } = this.#options
    const preprocessing = { ...recipe.preprocessing, size: phase.size }
    const { mean, std, size } = preprocessing
    const width = photosAtOnce(size)
    const backbone = compile(
      (photos: tf.Tensor) => {
        const values = new Map(model.parameters.map((spec) => [spec.name, variables.weight(spec.name).read()]))
        const context = inference((parameter) => values.get(parameter)!)
        const images = tf.div(tf.sub(tf.div(castToFloat(photos), 255), mean), std)
        const features = flips.map((flip) => tf.mean(model.featureMap(flipped(images, flip), context), [1, 2]))
        return { features: tf.stack(features, 1) }
      },
      { name: 'features' },
    )
    const samples = dataset[place]
    const show = showWork(`${name}: features of ${place} at ${size} px, scale ${scale}`)
    let done = 0
    try {
      for await (const { pixels, labels } of validBatches(samples, { preprocessing, batch: width, scale })) {
        signal.throwIfAborted()
        // A short last batch is padded: another shape would be traced anew.
        const padded = new Uint8Array(width * size * size * 3)
        padded.set(pixels)
        const photos = bytes(padded, [width, size, size, 3])
        const { features } = await backbone.run(photos)
        const values = (await features.data()) as Float32Array
        tf.dispose([photos, features])
        yield values.subarray(0, labels.length * flips.length * model.featureCount)
        show((done += labels.length), samples.length)
      }
    } finally {
      backbone.dispose()
    }
  }

  /** Of all that the features depend on. */
  async #key(place: Place): Promise<string> {
    this.#backboneHash ??= this.#hashBackbone()
    const { dataset, phase, recipe } = this.#options
    return JSON.stringify([
      await this.#backboneHash,
      dataset.sha256,
      { ...recipe.preprocessing, size: phase.size },
      this.#views(place),
    ])
  }

  async #hashBackbone(): Promise<string> {
    const { model, variables } = this.#options
    const hash = createHash('sha256')
    for (const { name, group } of model.parameters) {
      if (group === 'head') continue
      const { buffer, byteOffset, byteLength } = (await variables.weight(name).data()) as Float32Array
      hash.update(name).update(new Uint8Array(buffer, byteOffset, byteLength))
    }
    return hash.digest('hex')
  }

  #path(place: Place): string {
    return join(this.#options.folder, `features-${this.#options.name}-${place}.safetensors`)
  }
}
