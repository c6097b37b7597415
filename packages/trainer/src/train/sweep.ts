import { join } from 'node:path'
import { oneView } from '@flowers/shared/image/view'
import { mapWeights } from '../model/weights/load.ts'
import { readSafetensors, readSafetensorsHeader, writeSafetensors } from '../model/weights/safetensors.ts'
import type { PhaseName, Recipe } from '../recipe/schema.ts'
import { percent } from '../console/format.ts'
import { Variable } from '../tensorflow/index.ts'
import { checkpointFiles } from '../run/files.ts'
import type { PhaseContext } from './phase.ts'
import { photosAtOnce, Scorers, ValidationSet } from './validate.ts'

/** The best weights of a phase at a size, and how they do on the validation photos. */
export interface SweepEntry {
  readonly phase: PhaseName
  readonly size: number
  /** In [0, 1]. */
  readonly accuracy: number
  /** Nats. */
  readonly loss: number
}

/** What is exported: the best by the criterion; of equals the smaller size, which costs less to serve, then the smaller loss. */
export function bestOfSweep(entries: readonly SweepEntry[], criterion: Recipe['data']['criterion']): SweepEntry {
  const rank = ({ accuracy, loss }: SweepEntry): number => (criterion === 'loss' ? loss : -accuracy)
  return entries.toSorted((a, b) => rank(a) - rank(b) || a.size - b.size || a.loss - b.loss)[0]!
}

/** What is scored: the last phase and the one before it, at their own sizes and at those of the recipe. Sizes rise. */
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
 * often above the one of training, and need not be that of the last phase. Scores what `sweepPlan` lists and makes the
 * best of it the run's `best.safetensors`, whose metadata say phase and size: what the export goes by.
 */
export async function sweepSizes(
  context: Omit<PhaseContext, 'board'>,
  phases: readonly PhaseName[],
  { sizes, views: wanted }: NonNullable<Recipe['sweep']>,
): Promise<SweepEntry> {
  const { dataset, recipe, log, progress, signal } = context
  const views = wanted === 'one' ? oneView : recipe.views
  const networks = new Map<PhaseName, Awaited<ReturnType<typeof openCheckpoint>>>()
  for (const name of phases.slice(-2)) networks.set(name, await openCheckpoint(context, name))
  const entries: SweepEntry[] = []
  try {
    for (const { size, phases: names } of sweepPlan(phases, recipe, sizes)) {
      // Decoded once for both, where they fit into memory.
      const set = new ValidationSet(dataset.valid, {
        preprocessing: { ...recipe.preprocessing, size },
        batch: photosAtOnce(size),
      })
      for (const phase of names) {
        const { accuracy, loss } = await set.score(networks.get(phase)!.scorers, views, signal)
        entries.push({ phase, size, accuracy, loss })
        progress.message(
          `sweep: ${phase.padEnd(6)} at ${size} px  ${percent(accuracy)} of the validation photos by ${views.length} views, loss ${loss.toFixed(3)}`,
        )
        await log.write({ event: 'sweep', phase, size, views: views.length, validAccuracy: accuracy, validLoss: loss })
      }
    }
  } finally {
    for (const { dispose } of networks.values()) dispose()
  }
  const best = bestOfSweep(entries, recipe.data.criterion)
  const last = phases.at(-1)!
  const own = entries.find(({ phase, size }) => phase === last && size === recipe.phases[last].size)!
  const verdict = own === best ? '' : ` (${last} at its own ${own.size} px: ${percent(own.accuracy)})`
  progress.message(`sweep: ${best.phase} at ${best.size} px is what will be exported${verdict}`)
  await choose(context, best)
  return best
}

function pathOf({ folder }: Pick<PhaseContext, 'folder'>, name: string): string {
  return join(folder, 'checkpoints', name)
}

async function openCheckpoint(context: Omit<PhaseContext, 'board'>, phase: PhaseName) {
  const { model, recipe } = context
  const path = pathOf(context, checkpointFiles.bestOf(phase))
  const values = mapWeights(model, await readSafetensors(path), { head: 'load' })
  const variables = new Map(
    model.parameters.map(({ name, shape }) => [
      name,
      new Variable(`sweep/${name}`, { shape: [...shape], dtype: 'float32', data: values.get(name)! }),
    ]),
  )
  const scorers = new Scorers(model, (name) => variables.get(name)!, recipe.preprocessing)
  const dispose = (): void => {
    scorers.dispose()
    for (const variable of variables.values()) variable.dispose()
  }
  return { scorers, dispose }
}

async function choose(context: Omit<PhaseContext, 'board'>, { phase, size, accuracy }: SweepEntry): Promise<void> {
  const path = pathOf(context, checkpointFiles.bestOf(phase))
  const { metadata } = await readSafetensorsHeader(path)
  await writeSafetensors(pathOf(context, checkpointFiles.best), await readSafetensors(path), {
    ...metadata,
    size: String(size),
    validAccuracy: String(accuracy),
  })
}
