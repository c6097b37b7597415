import { html } from '@flowers/shared/html'
import { colors } from '../charts/chart.ts'
import { curves } from '../charts/curves.ts'
import type { RunFacts } from '../facts.ts'
import { duration, plural, withInterval } from '../../console/format.ts'
import type { HistoryPhase, SweepLine } from '../../run/history.ts'
import { exactShare } from '../../measure/bootstrap.ts'
import { choosingPhotos } from '../../measure/split-validation.ts'
import { figure, key, table, type Section } from './parts.ts'

export function trainingSection({ history: { phases, sweep }, checkpoint, recipe, valid }: RunFacts): Section {
  const photos = choosingPhotos(valid, recipe.data.selection, recipe.seed).length
  const drawn = curves(phases)
  const hasTta = phases.some(({ epochs }) => epochs.some(({ ttaAccuracy }) => ttaAccuracy !== null))
  const hasBackboneRate = phases.some(({ epochs }) =>
    epochs.some(({ backboneLearningRate }) => (backboneLearningRate ?? 0) > 0),
  )
  const charts =
    drawn === null
      ? html`<p>No epoch has ended.</p>`
      : html`${key([
            { color: colors.train, mark: 'dashed', name: 'training' },
            { color: colors.valid, mark: 'line', name: 'validation, one view' },
            ...(hasTta ? [{ color: colors.extra, mark: 'dot', name: 'validation, several views' } as const] : []),
            ...(hasBackboneRate
              ? ([
                  { color: 'currentColor', mark: 'line', name: 'rate of the head' },
                  { color: colors.extra, mark: 'dashed', name: 'rate of the backbone' },
                ] as const)
              : []),
          ])}
          <div class="three">
            ${figure('Loss (nats)', drawn.loss, 'Training pays for augmentation, mixing and label smoothing, so it may lie above validation. Validation that rises while training falls is overfitting.')}
            ${figure('Accuracy', drawn.accuracy, 'Training counts augmented photos; mixed ones count by the label with the larger part.')}
            ${figure(hasBackboneRate ? 'Learning rate' : 'Learning rate of the head', drawn.learningRate, 'At the end of each epoch; the axis is logarithmic, and has no place for the 0 of what does not learn.')}
          </div>`
  return {
    id: 'training',
    title: 'Training',
    body: html`${charts}${phaseTable(phases, photos)}${sweep.length === 0 ? '' : sweepTable(sweep, checkpoint, photos)}`,
  }
}

/** A share of the validation photos that choose. */
const shareOf = (share: number, photos: number): string =>
  photos === 0 ? '' : withInterval(exactShare(Math.round(share * photos), photos))

const standsOn = (photos: number): string => `${plural(photos, 'validation photo')}, with exact 95 % intervals`

function phaseTable(phases: readonly HistoryPhase[], photos: number) {
  const rows = phases.map(({ phase, size, validAccuracy, epochs }) => {
    const at = epochs.findLast((epoch) => epoch.best)
    return [
      phase,
      `${size} px`,
      epochs.length === 0 ? '0' : `${epochs.length} of ${epochs[0]!.epochs}`,
      shareOf(validAccuracy, photos),
      shareOf(at?.validAccuracy ?? validAccuracy, photos),
      at === undefined ? 'start' : `${at.epoch + 1}`,
      duration(epochs.reduce((sum, epoch) => sum + epoch.seconds, 0)),
    ]
  })
  const number = true
  return table(
    `The phases. Each begins with the best weights of the one before. Shares are of ${standsOn(photos)}.`,
    [
      { name: 'phase' },
      { name: 'size', number },
      { name: 'epochs run', number },
      { name: 'validation at its start', number },
      { name: 'at best', number },
      { name: 'kept epoch', number },
      { name: 'time', number },
    ],
    rows,
  )
}

function sweepTable(sweep: readonly SweepLine[], checkpoint: RunFacts['checkpoint'], photos: number) {
  const number = true
  return table(
    `The sweep over sizes: what does best on ${standsOn(photos)}, is exported.`,
    [
      { name: 'weights' },
      { name: 'size', number },
      { name: 'views', number },
      { name: 'validation', number },
      { name: 'loss', number },
      { name: 'exported' },
    ],
    sweep.map(({ phase, size, views, validAccuracy, validLoss }) => [
      phase,
      `${size} px`,
      `${views}`,
      shareOf(validAccuracy, photos),
      validLoss?.toFixed(3) ?? 'not a number',
      phase === checkpoint.phase && size === checkpoint.size ? 'yes' : '',
    ]),
  )
}
