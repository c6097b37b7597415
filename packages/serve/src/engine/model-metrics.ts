import type { Manifest } from '@flowers/shared/model/manifest'
import { reloadResults } from '../observe/instruments.ts'
import type { Instruments } from '../observe/instruments.ts'

/** Tells in the metrics which models are loaded. */
export class ModelMetrics {
  readonly #instruments: Instruments
  /** Names of which answers are counted: a version that is loaded later goes on counting. */
  readonly #counted = new Set<string>()

  constructor(instruments: Instruments) {
    this.#instruments = instruments
  }

  /** A model is loaded. What may be counted of it begins at zero. */
  loaded(manifest: Manifest): void {
    const { modelInfo, classPrior, confidence, abstentions, predictions, reloads } = this.#instruments
    const { name: model, labels, classPrior: priors } = manifest
    modelInfo.set(infoOf(manifest), 1)
    if (!this.#counted.has(model)) confidence.zero({ model })
    this.#counted.add(model)
    abstentions.inc({ model }, 0)
    for (const result of reloadResults) reloads.inc({ model, result }, 0)
    for (const [index, label] of labels.entries()) {
      classPrior.set({ model, label }, priors[index]!)
      predictions.inc({ model, label }, 0)
    }
  }

  /** A model is not loaded any more. */
  left(manifest: Manifest): void {
    this.#instruments.modelInfo.remove(infoOf(manifest))
    for (const label of manifest.labels) this.#instruments.classPrior.remove({ model: manifest.name, label })
  }

  /** A reload of a model ended; `default`: of which model answers by default. */
  reloaded(model: string, result: (typeof reloadResults)[number]): void {
    this.#instruments.reloads.inc({ model, result })
  }
}

function infoOf({ name, version, architecture }: Manifest) {
  return { model: name, version: String(version), architecture }
}
