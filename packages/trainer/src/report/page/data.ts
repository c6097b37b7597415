import { html, type Html } from '@flowers/shared/html'
import { auditKinds } from '../../dataset/audit.ts'
import { classCountsChart, priorChart } from '../charts/class-bars.ts'
import { colors } from '../charts/chart.ts'
import type { RunFacts } from '../facts.ts'
import { figure, key, table, type Section } from './parts.ts'
import { plural } from '../../console/format.ts'

export function dataSection(facts: RunFacts): Section {
  const { labels, counts, splitBy, source, sha256, excluded, recipe } = facts
  const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)
  const split = splitBy === 'given' ? 'as the data brings it' : `drawn by class with seed ${recipe.seed}`
  const body = html`<p>
      ${source}: ${sum(counts.train)} training and ${sum(counts.valid)} validation photos in ${labels.length} classes,
      split ${split}.
    </p>
    ${key([
      { color: colors.train, mark: 'box', name: 'training' },
      { color: colors.valid, mark: 'box', name: 'validation' },
    ])}
    ${figure(
      'Photos by class',
      classCountsChart(classesOf(facts)),
      'The dashed lines stand at 20 and 100 photos, where few-shot and many-shot begin; the longer the tail, the more a plain accuracy hides it.',
    )}
    <h3>Audit</h3>
    ${auditBody(facts.audit, excluded)}
    <h3>Class prior</h3>
    ${priorBody(facts)}
    <p class="note">SHA-256 of the list of photos with their hashes, labels and splits: <code>${sha256}</code></p>`
  return { id: 'data', title: 'Data', body }
}

const classesOf = ({ labels, counts }: RunFacts) =>
  labels.map((label, index) => ({ label, train: counts.train[index]!, valid: counts.valid[index]! }))

/** Findings of one kind that are named; the rest are counted. */
const mostNamed = 8

function auditBody(audit: RunFacts['audit'], excluded: readonly string[]): Html {
  const left =
    excluded.length === 0
      ? html``
      : html`<p>
          Left out:
          ${excluded.slice(0, mostNamed).map((id) => html`<code>${id}</code> `)}${excluded.length > mostNamed ? `and ${excluded.length - mostNamed} more` : ''}
        </p>`
  if (audit === null)
    return html`<p>The run folder holds no audit; <code>data audit</code> makes one.</p>
      ${left}`
  if (audit.problems.length === 0)
    return html`<p>${audit.checked} photos were looked at: nothing was found.</p>
      ${left}`
  const rows = Object.entries(auditKinds).flatMap(([kind, { severity, title }]) => {
    const found = audit.problems.filter((problem) => problem.kind === kind)
    if (found.length === 0) return []
    const named = found
      .slice(0, mostNamed)
      .map(({ ids, detail }) => html`<li><code>${ids.join(' = ')}</code> ${detail}</li>`)
    const rest = found.length > mostNamed ? html`<li>and ${found.length - mostNamed} more</li>` : html``
    return [
      [
        title,
        severity,
        String(found.length),
        html`<details>
          <summary>which</summary>
          <ul>
            ${named}${rest}
          </ul>
        </details>`,
      ],
    ]
  })
  return html`${table(`${plural(audit.checked, 'photo')} looked at before training: ${plural(audit.errors, 'error')}, ${plural(audit.warnings, 'warning')}.`, [{ name: 'finding' }, { name: 'kind' }, { name: 'photos', number: true }, { name: '' }], rows)}${left}`
}

const phaseColors = [colors.train, colors.valid, colors.extra]

function priorBody(facts: RunFacts): Html {
  const phases = facts.history.phases.flatMap(({ phase, epochs, ...planned }, index) => {
    const last = epochs.findLast(({ effectivePrior }) => effectivePrior !== null)
    const { effectivePrior, effectivePriorSlope } = last ?? planned
    if (effectivePrior === null) return []
    const name = last ? `${phase}, with the focal loss of epoch ${last.epoch + 1}` : phase
    return [{ name, prior: effectivePrior, slope: effectivePriorSlope, color: phaseColors[index]! }]
  })
  if (phases.length === 0) return html`<p>The run did not record its effective class priors.</p>`
  const rows = phases.map(({ name, slope }) => [
    name,
    slope === null ? 'all classes equal' : slope.toFixed(2),
    readingOf(slope),
  ])
  const shown = phases.filter(({ slope }) => slope !== null && Math.abs(slope - 1) > 0.005)
  const drawn =
    shown.length === 0
      ? html``
      : html`${key([
          { color: colors.faint, mark: 'box', name: 'natural' },
          ...shown.map(({ name, color }) => ({ color, mark: 'dot', name: `phase ${name}` }) as const),
        ])}${figure(
          'Shares of the classes',
          priorChart(classesOf(facts), shown),
          'The share of each class in the photos, and in what the loss sees after all corrections. Dots on one height are a balanced training; dots that rise to the right favour rare classes.',
        )}`
  return html`<p>
      What the loss sees of each class, after sampler, class weights and focal loss. The slope of its logarithm over
      that of the photos is 1 where nothing is corrected, 0 where classes are balanced; below 0 corrections have stacked
      up. What a focal loss leaves of a class is measured on the validation photos, and changes as the network learns.
    </p>
    ${table('Effective prior by phase', [{ name: 'phase' }, { name: 'slope', number: true }, { name: 'reading' }], rows)}${drawn}`
}

function readingOf(slope: number | null): string {
  if (slope === null) return 'nothing to correct'
  if (slope > 0.995) return 'natural'
  if (slope > 0.1) return 'rare classes are lifted'
  return slope >= -0.1 ? 'balanced' : 'beyond balance: rare classes outweigh frequent ones'
}
