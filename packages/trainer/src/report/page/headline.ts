import { html, type Html } from '@flowers/shared/html'
import type { MeasuredShare } from '../../measure/bootstrap.ts'
import type { Findings, RunFacts } from '../facts.ts'
import { duration, percent, plural } from '../../console/format.ts'

const interval = ({ low, high }: Pick<MeasuredShare, 'low' | 'high'>): string =>
  `${(100 * low).toFixed(1)} to ${percent(high)}`

/** Title and the figures one looks for first. */
export function headline(
  { recipe, labels, source, checkpoint, parameters, valid, history, environment }: RunFacts,
  { measures, ece }: Findings,
): Html {
  const epochs = history.phases.flatMap((phase) => phase.epochs)
  const seconds = epochs.reduce((sum, epoch) => sum + epoch.seconds, 0)
  const { top1, top5, macroF1 } = measures
  const figures = [
    { name: 'Top-1 accuracy', value: percent(top1.value), note: interval(top1) },
    ...(labels.length > 5 ? [{ name: 'Top-5 accuracy', value: percent(top5.value), note: interval(top5) }] : []),
    { name: 'Macro-F1', value: percent(macroF1.value), note: interval(macroF1) },
    ...(ece ? [{ name: 'Calibration error', value: percent(ece.value), note: interval(ece) }] : []),
    { name: 'Training', value: duration(seconds), note: plural(epochs.length, 'epoch') },
  ]
  const { started } = environment
  const at = checkpoint.epoch < 0 ? 'before its first epoch' : `after epoch ${checkpoint.epoch + 1}`
  return html`<header>
    <h1>Training on ${source}</h1>
    <p>
      ${recipe.model.architecture} with ${(parameters / 1e6).toFixed(1)} million weights that tells ${labels.length}
      classes apart, trained by the recipe
      ${recipe.name}${typeof started === 'string' ? ` on ${started.slice(0, 10)}` : ''}.
    </p>
    <dl class="headline">
      ${figures.map(
        ({ name, value, note }) =>
          html`<div>
            <dt>${name}</dt>
            <dd><span class="figure">${value}</span><br /><span class="note">${note}</span></dd>
          </div>`,
      )}
    </dl>
    <p class="note">
      On the ${valid.length} validation photos, one view each at ${checkpoint.size} px, with the weights of phase
      ${checkpoint.phase} ${at}; under each share its 95 % interval (exact; of macro-F1 by the bootstrap). They chose
      the weights, or half of them did (<code>data.selection</code>): expect slightly less on others.
    </p>
  </header>`
}
