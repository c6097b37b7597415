import { groupBy } from '@flowers/shared/group-by'
import { html, type Html } from '@flowers/shared/html'
import { exactShare, type MeasuredShare } from '../../measure/bootstrap.ts'
import { mostConfused } from '../../measure/measure.ts'
import { shotNames, shotRanges, shotsOf, type Shots } from '../../measure/shots.ts'
import { bySupport } from '../charts/class-bars.ts'
import type { Findings, RunFacts } from '../facts.ts'
import { percent, plural, withInterval } from '../../console/format.ts'
import { scroller, type Section } from './parts.ts'

const groupNames: Readonly<Record<Shots, string>> = { many: 'Many-shot', medium: 'Medium-shot', few: 'Few-shot' }

export function classSection({ labels, counts }: RunFacts, { measures, groups }: Findings): Section {
  const classes = bySupport(
    labels.map((label, index) => ({ label, index, train: counts.train[index]!, ...measures.classes[index]! })),
  )
  const mistakes = groupBy(mostConfused(measures.confusion, Infinity), ({ truth }) => truth)
  const mistakenFor = (index: number): string => {
    const worst = mistakes.get(index)?.[0]
    return worst === undefined ? '' : `${labels[worst.predicted]!} (${worst.photos})`
  }
  const bodies = shotNames.flatMap((name) => {
    const members = classes.filter(({ train }) => shotsOf(train) === name)
    if (members.length === 0) return []
    const { recall, low, high, photos: validated } = groups[name]
    const summary =
      recall === null || low === null || high === null
        ? 'no validation photos'
        : `mean recall ${withInterval({ value: recall, low, high })} of ${plural(validated, 'photo')}`
    const rows = members.map(({ label, index, train, photos, precision, recall, f1 }) => {
      const shares =
        photos === 0
          ? html`<td colspan="3">not validated</td>`
          : html`${shareCell(precision)}${shareCell(recall, exactShare(Math.round(recall * photos), photos))}${shareCell(f1)}`
      return html`<tr>
        <th scope="row">${label}</th>
        <td class="number">${train}</td>
        <td class="number">${photos}</td>
        ${shares}
        <td>${mistakenFor(index)}</td>
      </tr>`
    })
    return [
      html`<tbody>
        <tr>
          <th scope="rowgroup" colspan="7">
            <div class="stay">
              ${groupNames[name]}: ${shotRanges[name]} training photos
              <span>${plural(members.length, 'class', 'classes')}, ${summary}</span>
            </div>
          </th>
        </tr>
        ${rows}
      </tbody>`,
    ]
  })
  const body = scroller(
    'classes',
    html`<table class="classes">
      <caption>
        <span class="stay">
          By training photos, most first. Precision: how many of the answers with this label are right. Recall: how many
          of its photos get it, with the exact 95 % interval. F1: their harmonic mean.
        </span>
      </caption>
      <thead>
        <tr>
          <th scope="col">class</th>
          <th scope="col" class="number">training</th>
          <th scope="col" class="number">validation</th>
          <th scope="col">precision</th>
          <th scope="col">recall</th>
          <th scope="col">F1</th>
          <th scope="col">most often mistaken for</th>
        </tr>
      </thead>
      ${bodies}
    </table>`,
  )
  return { id: 'classes', title: 'Classes', body }
}

const shareCell = (share: number, measured?: MeasuredShare): Html =>
  html`<td class="bar" style="--share:${(100 * share).toFixed(1)}%">
    ${measured ? withInterval(measured) : percent(share)}
  </td>`
