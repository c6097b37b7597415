import type { Manifest } from '@flowers/shared/model/manifest'
import { reloadResults, type Instruments } from '../observe/instruments.ts'

/** Tells in the metrics that a model is loaded. What may be counted of it begins at zero, unless it was loaded before. */
export function showModel(instruments: Instruments, manifest: Manifest, wasLoaded: boolean): void {
  const { modelInfo, classPrior, confidence, abstentions, predictions, reloads } = instruments
  const { name: model, labels, classPrior: priors } = manifest
  modelInfo.set(infoOf(manifest), 1)
  if (!wasLoaded) confidence.zero({ model })
  abstentions.inc({ model }, 0)
  for (const result of reloadResults) reloads.inc({ model, result }, 0)
  for (const [index, label] of labels.entries()) {
    classPrior.set({ model, label }, priors[index]!)
    predictions.inc({ model, label }, 0)
  }
}

/** Tells in the metrics that a model is not loaded any more; what was counted stays. */
export function hideModel({ modelInfo, classPrior }: Instruments, manifest: Manifest): void {
  modelInfo.remove(infoOf(manifest))
  for (const label of manifest.labels) classPrior.remove({ model: manifest.name, label })
}

function infoOf({ name, version, architecture }: Manifest) {
  return { model: name, version: String(version), architecture }
}
