import { html } from '@flowers/shared/html'
import { phaseNames } from '../../recipe/schema.ts'
import type { RunFacts } from '../facts.ts'
import { table, type Section } from './parts.ts'

export function recipeSection({ recipe }: RunFacts): Section {
  const { phases, ...rest } = recipe
  const run = phaseNames.filter((name) => phases[name].epochs > 0)
  const flat = run.map((name) => new Map(flatten(phases[name])))
  const names = [...new Set(flat.flatMap((settings) => [...settings.keys()]))]
  const body = html`<p>As resolved: with these settings and the same data, <code>train</code> runs this again.</p>
    ${table('The run', [{ name: 'setting' }, { name: 'value' }], flatten(rest))}
    <h3>Phases</h3>
    ${table(
      'Phases of 0 epochs are left out.',
      [{ name: 'setting' }, ...run.map((name) => ({ name }))],
      names.map((name) => [name, ...flat.map((settings) => settings.get(name) ?? '')]),
    )}`
  return { id: 'recipe', title: 'Recipe', body }
}

/** Settings by their dotted paths, as `--set` takes them. */
export function flatten(value: unknown, path = ''): [string, string][] {
  if (typeof value === 'string') return [[path, value]]
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return [[path, JSON.stringify(value)]]
  return Object.entries(value).flatMap(([key, inner]) => flatten(inner, path === '' ? key : `${path}.${key}`))
}

export function environmentSection({ environment }: RunFacts): Section {
  return {
    id: 'environment',
    title: 'Environment',
    body: table(
      'What the result may depend on besides recipe and data',
      [{ name: 'what' }, { name: 'value' }],
      flatten(environment),
    ),
  }
}
