import { levels, type Level } from '@flowers/shared/model/calibration'
import type { Manifest } from '@flowers/shared/model/manifest'
import { reloadResults, type Instruments } from '../observe/instruments.ts'

/** Tells in the metrics that a model is loaded. What may be counted of it begins at zero, unless it was loaded before. */
export function showModel(instruments: Instruments, manifest: Manifest, wasLoaded: boolean): void {
  const { modelInfo, classPrior, levelShare, confidence, answers, abstentions, predictions, reloads } = instruments
  const { name: model, labels, classPrior: priors } = manifest
  modelInfo.set(infoOf(manifest), 1)
  if (!wasLoaded) confidence.zero({ model })
  abstentions.inc({ model }, 0)
  for (const level of levels) answers.inc({ model, level }, 0)
  for (const [level, share] of levelShares(manifest)) levelShare.set({ model, level }, share)
  for (const result of reloadResults) reloads.inc({ model, result }, 0)
  for (const [index, label] of labels.entries()) {
    classPrior.set({ model, label }, priors[index]!)
    predictions.inc({ model, label }, 0)
  }
}

/** Tells in the metrics that a model is not loaded any more; what was counted stays. */
export function hideModel({ modelInfo, classPrior, levelShare }: Instruments, manifest: Manifest): void {
  const { name: model, labels } = manifest
  modelInfo.remove(infoOf(manifest))
  for (const label of labels) classPrior.remove({ model, label })
  for (const level of levels) levelShare.remove({ model, level })
}

/** Share of a model's validation photos by level, of the levels that its manifest knows it of. */
function levelShares({ metrics, calibration }: Pick<Manifest, 'metrics' | 'calibration'>): [Level, number][] {
  if (metrics.levels) return levels.map((level) => [level, metrics.levels![level].value])
  const refused = metrics.refusals?.own.value ?? calibration.abstention?.falseAlarmShare
  return refused === undefined ? [] : [['none', refused]]
}

function infoOf({ name, version, architecture }: Manifest) {
  return { model: name, version: String(version), architecture }
}
