import { html, type Html } from '@flowers/shared/html'
import { exactShare } from '../../measure/bootstrap.ts'
import { reliabilityChart } from '../charts/reliability.ts'
import type { Findings } from '../facts.ts'
import { percent, plural, withInterval } from '../../console/format.ts'
import { figure, table, type Section } from './parts.ts'

export function calibrationSection(findings: Findings): Section {
  const { bins } = findings
  const rows = bins.flatMap(({ photos, accuracy, confidence }, index) =>
    photos === 0
      ? []
      : [
          [
            `${Math.round((100 * index) / bins.length)} to ${Math.round((100 * (index + 1)) / bins.length)} %`,
            String(photos),
            percent(confidence),
            withInterval(exactShare(Math.round(accuracy * photos), photos)),
          ],
        ],
  )
  const number = true
  const body = html`<p>
      A calibrated model is right as often as it is sure. ${errorOf(findings)} ${temperatureOf(findings)}
    </p>
    <div class="sides">
      ${figure(
        'Reliability',
        reliabilityChart(bins),
        'A dot is a bin of confidence, its area the number of photos. On the dashed line it is calibrated; under it the model is surer than it is right, above it is too modest.',
      )}${table(
        'The same in figures, with exact 95 % intervals.',
        [
          { name: 'confidence' },
          { name: 'photos', number },
          { name: 'mean confidence', number },
          { name: 'right', number },
        ],
        rows,
      )}
    </div>`
  return { id: 'calibration', title: 'Calibration', body }
}

function errorOf({ ece, bins }: Findings): Html {
  const photos = bins.reduce((sum, bin) => sum + bin.photos, 0)
  return ece === null
    ? html`${plural(photos, 'photo says', 'photos say')} too little of the calibration error, so none is given.`
    : html`The expected calibration error over ${bins.length} bins and ${photos} photos is
        <strong>${withInterval(ece)}</strong> as the network answers.`
}

function temperatureOf({ temperature, whyNotFitted }: Findings): Html {
  if (temperature === null) return html`A temperature is not fitted: ${whyNotFitted}.`
  const { fitted, heldOut, ece } = temperature
  return html`A temperature of ${temperature.temperature.toFixed(2)}, fitted on ${fitted} of the validation photos, none
  of which chose the weights, changes it from ${percent(ece.before)} to
  ${withInterval({ value: ece.after, low: ece.low, high: ece.high })} on the other ${heldOut}.`
}
