import { warmupOf } from './checks.ts'
import type { Phase, PhaseName, Recipe } from './schema.ts'
import { phaseNames } from './schema.ts'

/**
 * Fewer epochs than a recipe has are the first thing that is tried with it. Its own warm-up and late epochs then keep
 * their share of a phase that they are longer than. What the person set as well stays, to be refused.
 */
export function shortenPhases(
  recipe: Recipe,
  { before, paths, log }: { before: Recipe; paths: readonly string[]; log: (line: string) => void },
): Recipe {
  const phases = { ...recipe.phases }
  for (const name of phaseNames) {
    const isSet = (path: string): boolean => paths.some((set) => `phases.${name}.${path}.`.startsWith(`${set}.`))
    if (!paths.includes(`phases.${name}.epochs`)) continue
    const { phase, changes } = shorten(phases[name], before.phases[name].epochs, isSet)
    phases[name] = phase
    if (changes.length > 0) log(describe(recipe.name, name, phase.epochs, before.phases[name].epochs, changes))
  }
  return { ...recipe, phases }
}

interface Change {
  readonly path: string
  readonly from: number
  readonly to: number
}

function shorten(
  phase: Phase,
  epochsBefore: number,
  isSet: (path: string) => boolean,
): { phase: Phase; changes: Change[] } {
  const { epochs, mix, learningRate } = phase
  if (epochs === 0 || epochs >= epochsBefore) return { phase, changes: [] }
  const changes: Change[] = []
  const share = epochs / epochsBefore
  let shorter = phase
  const warmup = warmupOf(phase)
  const warmupPath = 'learningRate.schedule.warmupEpochs'
  if (warmup > epochs && !isSet(warmupPath)) {
    // Three digits are enough; rounding may not lead beyond the phase.
    const to = Math.min(epochs, Math.round(1000 * warmup * share) / 1000)
    const schedule = { ...learningRate.schedule, warmupEpochs: to }
    shorter = { ...shorter, learningRate: { ...learningRate, schedule } }
    changes.push({ path: warmupPath, from: warmup, to })
  }
  const latePath = 'mix.late.epochs'
  if (mix.late && mix.late.epochs > epochs && !isSet(latePath)) {
    const to = Math.min(epochs, Math.max(1, Math.round(mix.late.epochs * share)))
    shorter = { ...shorter, mix: { ...mix, late: { ...mix.late, epochs: to } } }
    changes.push({ path: latePath, from: mix.late.epochs, to })
  }
  return { phase: shorter, changes }
}

function describe(
  recipe: string,
  name: PhaseName,
  epochs: number,
  epochsBefore: number,
  changes: readonly Change[],
): string {
  const parts = changes.map(
    ({ path, from, to }, index) => `${path} ${index === 0 ? 'is ' : ''}${to} instead of ${from}`,
  )
  return `${recipe}: phases.${name}.epochs is ${epochs} instead of ${epochsBefore}, so ${parts.join(' and ')}`
}
