import { oneView } from '@flowers/shared/image/view'
import { readSafetensors, readSafetensorsHeader, writeSafetensors } from '../model/weights/safetensors.ts'
import type { PhaseName, Recipe } from '../recipe/schema.ts'
import { percent } from '../console/format.ts'
import { checkpointFiles, checkpointPath } from '../run/files.ts'
import { bestWeights } from './checkpoints.ts'
import { isBetter, type Criterion, type Score } from './choice.ts'
import type { RunContext } from './context.ts'
import { photosAtOnce, Scorers, ValidationSet } from './validate.ts'

/** The best weights of a phase at a size, and how they do on the validation photos. */
export interface SweepEntry extends Score {
  readonly phase: PhaseName
  readonly size: number
}

/**
 * The entry to export: the best by the criterion of those that are as accurate as `own`, one of them; of equals the
 * smaller size, which costs less to serve.
 */
export function bestOfSweep(
  entries: readonly SweepEntry[],
  { own, criterion }: { readonly own: SweepEntry; readonly criterion: Criterion },
): SweepEntry {
  const bySize = entries.filter(({ accuracy }) => accuracy >= own.accuracy).toSorted((a, b) => a.size - b.size)
  return bySize.reduce((best, entry) => (isBetter(entry, best, criterion) ? entry : best))
}

/** The pairs to score: the last phase and the one before it, at their own sizes and at those of the recipe. Sizes rise. */
export function sweepPlan(
  phases: readonly PhaseName[],
  recipe: Pick<Recipe, 'phases'>,
  sizes: readonly number[],
): { size: number; phases: PhaseName[] }[] {
  const candidates = phases.slice(-2)
  const all = new Set([...sizes, ...candidates.map((name) => recipe.phases[name].size)])
  return [...all]
    .toSorted((a, b) => a - b)
    .map((size) => ({
      size,
      phases: candidates.filter((name) => sizes.includes(size) || recipe.phases[name].size === size),
    }))
}

/**
 * The sweep over test resolutions of FixRes (Touvron et al. 2019, arXiv 1906.06423): the resolution that does best is
 * often above that of training, and need not be that of the last phase. Scores the pairs of `sweepPlan` and makes the best
 * of them the run's `best.safetensors`, whose metadata tell the export its phase and size. It is no less accurate than
 * the phase that leads the run at its own size, where that is one of the two.
 */
export async function sweepSizes(
  context: Omit<RunContext, 'board'>,
  phases: readonly PhaseName[],
  { sizes, views: wanted }: NonNullable<Recipe['sweep']>,
  leader: PhaseName,
): Promise<SweepEntry> {
  const { model, dataset, recipe, log, progress, signal } = context
  const views = wanted === 'one' ? oneView : recipe.views
  const scorers = new Map<PhaseName, Scorers>()
  for (const name of phases.slice(-2)) {
    scorers.set(name, Scorers.of(model, await bestWeights(model, context.folder, name), recipe.preprocessing))
  }
  const entries: SweepEntry[] = []
  try {
    for (const { size, phases: names } of sweepPlan(phases, recipe, sizes)) {
      // Both phases share the decoded photos.
      const set = new ValidationSet(dataset.valid, {
        preprocessing: { ...recipe.preprocessing, size },
        batch: photosAtOnce(size),
      })
      for (const phase of names) {
        const { accuracy, loss } = await set.score(scorers.get(phase)!, views, signal)
        entries.push({ phase, size, accuracy, loss })
        progress.message(
          `sweep: ${phase.padEnd(6)} at ${size} px  ${percent(accuracy)} of the validation photos by ${views.length} views, loss ${loss.toFixed(3)}`,
        )
        await log.write({ event: 'sweep', phase, size, views: views.length, validAccuracy: accuracy, validLoss: loss })
      }
    }
  } finally {
    for (const each of scorers.values()) each.dispose()
  }
  const ownOf = (name: PhaseName): SweepEntry | undefined =>
    entries.find(({ phase, size }) => phase === name && size === recipe.phases[name].size)
  const own = ownOf(leader) ?? ownOf(phases.at(-1)!)!
  const best = bestOfSweep(entries, { own, criterion: recipe.data.criterion })
  const verdict = own === best ? '' : ` (${own.phase} at its own ${own.size} px: ${percent(own.accuracy)})`
  progress.message(`sweep: ${best.phase} at ${best.size} px is what will be exported${verdict}`)
  await choose(context.folder, best)
  return best
}

async function choose(folder: string, { phase, size, accuracy, loss }: SweepEntry): Promise<void> {
  const path = checkpointPath(folder, checkpointFiles.bestOf(phase))
  const { metadata } = await readSafetensorsHeader(path)
  await writeSafetensors(checkpointPath(folder, checkpointFiles.best), await readSafetensors(path), {
    ...metadata,
    size: String(size),
    validAccuracy: String(accuracy),
    validLoss: String(loss),
  })
}
