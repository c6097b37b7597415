import { html } from '@flowers/shared/html'
import { reliabilityChart } from '../charts/reliability.ts'
import type { Findings } from '../facts.ts'
import { percent } from '../../console/format.ts'
import { figure, table, type Section } from './parts.ts'

export function calibrationSection({
  bins,
  ece,
  temperature: { temperature, fitted, heldOut, ece: errors },
}: Findings): Section {
  const rows = bins.flatMap(({ photos, accuracy, confidence }, index) =>
    photos === 0
      ? []
      : [
          [
            `${Math.round((100 * index) / bins.length)} to ${Math.round((100 * (index + 1)) / bins.length)} %`,
            String(photos),
            percent(confidence),
            percent(accuracy),
          ],
        ],
  )
  const number = true
  const body = html`<p>
      A calibrated model is right as often as it is sure. The expected calibration error over ${bins.length} bins is
      <strong>${percent(ece)}</strong> as the network answers. A temperature of ${temperature.toFixed(2)}, fitted on
      ${fitted} of the validation photos, changes it from ${percent(errors.before)} to ${percent(errors.after)} on the
      other ${heldOut}.
    </p>
    <div class="sides">
      ${figure(
        'Reliability',
        reliabilityChart(bins),
        'A dot is a bin of confidence, its area the number of photos. On the dashed line it is calibrated; under it the model is surer than it is right, above it is too modest.',
      )}${table(
        'The same in figures',
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
