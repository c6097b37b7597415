import { createHash } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { oneView, type View } from '@flowers/shared/image/view'
import * as tf from '@tensorflow/tfjs-core'
import { packedWidth } from '../input/apply-augment.ts'
import { epochOrder } from '../input/sampler.ts'
import { Random } from '@flowers/shared/random'
import type { Phase, PhaseName } from '../recipe/schema.ts'
import { runFiles } from '../run/files.ts'
import type { Position } from '../run/state.ts'
import { showWork } from '../console/bar.ts'
import { inference } from '../model/inference.ts'
import { compile, type Compiled, type Variable } from '@flowers/tensorflow'
import { backboneFeatures } from './backbone-features.ts'
import type { RunContext } from './context.ts'
import { FeatureFile, type FeaturePlace } from './feature-file.ts'
import { streamEpoch, type Feed, type FeedBatch } from './feed.ts'
import { padded } from './padded.ts'
import { onFeatures } from './step.ts'
import { addRow, rowsOf, summarize, ttaViews, type Validation } from './validate.ts'
import type { TrainingVariables } from './variables.ts'

/** Feature vectors in one call of the classifier. */
const rowsAtOnce = 256

type HeadContext = Pick<RunContext, 'folder' | 'recipe' | 'model' | 'dataset' | 'signal' | 'teacher'>

type Place = 'train' | 'valid'

/**
 * Trains and validates a head on pooled features that the frozen backbone computes once for each view, through the
 * preprocessing of the service. The backbone acts as in validation: no stochastic depth, float32. The features lie in
 * the run folder until the phase is over, so that a resumed run goes on with the same.
 */
export class CachedHead implements Feed {
  readonly note = 'the head learns from features that are computed once; no crop, no augmentation'
  readonly #context: HeadContext
  readonly #name: PhaseName
  readonly #phase: Phase
  readonly #variables: TrainingVariables
  readonly #files = new Map<Place, Promise<FeatureFile>>()
  readonly #scorer: Compiled<[tf.Tensor], { probabilities: tf.Tensor }>
  #backboneHash: Promise<string> | undefined

  constructor(context: HeadContext, name: PhaseName, variables: TrainingVariables) {
    this.#context = context
    this.#name = name
    this.#phase = context.recipe.phases[name]
    this.#variables = variables
    this.#scorer = compile(
      (features: tf.Tensor) => {
        const parameters = inference((parameter) => variables.best(parameter).read())
        return { probabilities: tf.softmax(context.model.classify(onFeatures(features), parameters)) }
      },
      { name: 'score_features' },
    )
  }

  /** Computes the features of the training photos, unless a stopped run left them. */
  async prepare(): Promise<void> {
    await this.#features('train')
  }

  /** The view of a photo is drawn in place of its crop. */
  async *batches(position: Position): AsyncGenerator<FeedBatch> {
    const { dataset, recipe, teacher } = this.#context
    const { batch, samplerPower: power } = this.#phase
    const epoch = streamEpoch(position)
    const order = epochOrder(dataset.train, { seed: recipe.seed, epoch, power })
    const packed = new Float32Array(batch * packedWidth)
    const file = await this.#features('train')
    for (let first = position.step * batch; first + batch <= order.length; first += batch) {
      const places = Array.from(order.subarray(first, first + batch), (photo, place) => ({
        photo,
        view: new Random(recipe.seed, 'crop', epoch, first + place).integer(file.views.length),
      }))
      const features = await file.read(places)
      const labels = Int32Array.from(places, ({ photo }) => dataset.train[photo]!.index)
      const soft = teacher && teacher.rows(places.map(({ photo }) => photo))
      yield { labels, packed, images: () => tf.tensor2d(features, [batch, file.width]), soft }
    }
  }

  /** `views` are the plain one or those of the phase's test-time augmentation. */
  async score(views: readonly View[]): Promise<Validation> {
    const { dataset, signal } = this.#context
    const { valid } = dataset
    const file = await this.#features('valid')
    const sums: Float32Array[] = []
    for (const { flip, scale } of views) {
      const view = file.views.findIndex((known) => known.flip === flip && known.scale === scale)
      for (let first = 0; first < valid.length; first += rowsAtOnce) {
        signal.throwIfAborted()
        const places = valid.slice(first, first + rowsAtOnce).map((_, index) => ({ photo: first + index, view }))
        const rows = await this.#probabilities(file, places)
        rows.forEach((row, index) => addRow(sums, first + index, row))
      }
    }
    return summarize(sums, valid, views.length)
  }

  /** Deletes the features. */
  async remove(): Promise<void> {
    for (const place of ['train', 'valid'] as const) await rm(this.#path(place), { force: true })
  }

  async close(): Promise<void> {
    this.#scorer.dispose()
    for (const file of this.#files.values()) {
      await file.then(
        (opened) => opened.close(),
        () => undefined,
      )
    }
  }

  async #probabilities(file: FeatureFile, places: readonly FeaturePlace[]): Promise<Float32Array[]> {
    const values = padded(await file.read(places), rowsAtOnce * file.width)
    const features = tf.tensor2d(values, [rowsAtOnce, file.width])
    const { probabilities } = await this.#scorer.run(features)
    const rows = rowsOf((await probabilities.data()) as Float32Array, rowsAtOnce)
    tf.dispose([features, probabilities])
    return rows.slice(0, places.length)
  }

  /** The features of some photos: computed at the first call, or left by a stopped run. */
  #features(place: Place): Promise<FeatureFile> {
    const known = this.#files.get(place) ?? this.#open(place)
    this.#files.set(place, known)
    return known
  }

  async #open(place: Place): Promise<FeatureFile> {
    const { dataset, model } = this.#context
    return FeatureFile.open(this.#path(place), {
      photos: dataset[place].length,
      views: this.#views(place),
      width: model.featureCount,
      key: await this.#key(place),
      compute: (scale, flips) => this.#compute(place, scale, flips),
    })
  }

  #views(place: Place): readonly View[] {
    const { tta, featureViews } = this.#phase
    if (place === 'train') return featureViews ?? this.#context.recipe.views
    return tta === null ? oneView : ttaViews[tta.views]
  }

  async *#compute(place: Place, scale: number, flips: readonly View['flip'][]): AsyncGenerator<Float32Array> {
    const { dataset, model, recipe, signal } = this.#context
    const { size } = this.#phase
    const weight = (name: string): Variable => this.#variables.weight(name)
    const backbone = { model, weight, preprocessing: { ...recipe.preprocessing, size } }
    const samples = dataset[place]
    const show = showWork(`${this.#name}: features of ${place} at ${size} px, scale ${scale}`)
    let done = 0
    for await (const features of backboneFeatures(backbone, samples, { scale, flips, signal })) {
      yield features
      show((done += features.length / flips.length / model.featureCount), samples.length)
    }
  }

  /** A text of everything that the features depend on. */
  async #key(place: Place): Promise<string> {
    this.#backboneHash ??= this.#hashBackbone()
    const { dataset, recipe } = this.#context
    return JSON.stringify([
      await this.#backboneHash,
      dataset.sha256,
      { ...recipe.preprocessing, size: this.#phase.size },
      this.#views(place),
    ])
  }

  async #hashBackbone(): Promise<string> {
    const hash = createHash('sha256')
    for (const { name, group } of this.#context.model.parameters) {
      if (group === 'head') continue
      const { buffer, byteOffset, byteLength } = (await this.#variables.weight(name).data()) as Float32Array
      hash.update(name).update(new Uint8Array(buffer, byteOffset, byteLength))
    }
    return hash.digest('hex')
  }

  #path(place: Place): string {
    return join(this.#context.folder, runFiles.checkpoints, `features-${this.#name}-${place}.safetensors`)
  }
}
