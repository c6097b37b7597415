import { markdownTable } from '@flowers/shared/markdown'
import type { MeasuredShare } from '../../measure/bootstrap.ts'
import { mean } from '../../measure/mean.ts'
import { phaseNames, type Recipe } from '../../recipe/schema.ts'
import { duration } from '../../console/format.ts'
import { highestBackboneRate } from './budget.ts'
import { gain, meanAccuracy, type Answers } from './compare.ts'
import { fewPhotos, type FewShot } from './few-shot.ts'
import type { Ladder, LadderRun } from './ladder.ts'
import { steps } from './steps.ts'

/** A ladder as a page in Markdown: its budget, a table beside the figures of the contest entry, and every run. */
export function ladderPage(ladder: Ladder): string {
  const { plan, data, runs } = ladder
  const first = Object.values(ladder.recipes)[0]!
  return [
    '# The ladder',
    '',
    `The five steps of the contest entry on ${data.classes} classes, ${data.train} training and ${data.valid} validation photos:`,
    `${plan.architecture}, ${first.model.weights === null ? 'random weights' : `weights \`${first.model.weights}\``}, ${plan.size} px, batches of ${plan.batch}; a step has ${plan.epochs} epochs for every 100`,
    'of its recipe (at least one a phase). Learning rates are raised for the fewer steps, by their square root, in all',
    `steps of the ladder alike, that of the backbone to ${highestBackboneRate} at most, as pretrained weights bear no more. ${plan.seeds.length === 1 ? 'One seed' : `Mean of the seeds ${plan.seeds.join(', ')}`}. Nothing else was tuned for it.`,
    ...(Object.values(ladder.recipes).every(({ precision }) => precision === 'float32')
      ? ['All steps are computed in float32: half the bits make the small networks slower on a CPU.']
      : []),
    ...(plan.settings.length === 0 ? [] : ['', `Settings for all steps: ${plan.settings.map(code).join(', ')}.`]),
    '',
    'Accuracy is top-1 on the validation photos, which also choose the best epoch, with the views of the step. In',
    'brackets are 95 % intervals over photos (bootstrap); the gain is paired, photo by photo, and a gain whose interval',
    'holds 0 is none that this ladder can show. Where the contest entry has other photos, classes and network, only the',
    'order of its steps can be compared.',
    '',
    ...markdownTable(
      ['step', 'adds', 'there', 'accuracy', 'gain', 'macro-F1', 'few-shot', 'time'],
      steps.flatMap(({ recipe: { name }, adds, report }, index) => {
        const own = runs.filter(({ step }) => step === name)
        if (own.length === 0) return []
        const below = steps.slice(0, index).findLast(({ recipe }) => runs.some(({ step }) => step === recipe.name))
        const before = runs.filter(({ step }) => step === below?.recipe.name)
        return [
          [
            String(index + 1),
            adds,
            report.toFixed(1),
            share(meanAccuracy(answersOf(own))),
            before.length === 0 ? '' : signed(gain(answersOf(before), answersOf(own))),
            meanShare(own.map(({ score }) => score.macroF1)),
            own.some(({ score }) => score.fewShot === null)
              ? ''
              : meanShare(own.map(({ score }) => fewShare(score.fewShot!))),
            duration(mean(own.map(({ score }) => score.seconds))),
          ],
        ]
      }),
    ),
    '',
    fewShotNote(runs),
    '',
    '## Every run',
    '',
    ...markdownTable(
      ['run', 'accuracy', 'macro-F1', 'few-shot', 'views', 'size', 'epochs', 'time'],
      runs.map(({ run, diverged, score }) => [
        `${run}${diverged ? ' (diverged)' : ''}`,
        share(score.accuracy),
        share(score.macroF1),
        score.fewShot === null ? '' : meanShare([fewShare(score.fewShot)]),
        String(score.views),
        `${score.size} px`,
        Object.entries(score.epochs)
          .map(([phase, count]) => `${phase} ${count}`)
          .join(', '),
        duration(score.seconds),
      ]),
    ),
    '',
    '## What each step ran as',
    '',
    ...markdownTable(
      ['step', 'epochs', 'backbone', 'head', 'schedule', 'EMA'],
      Object.values(ladder.recipes).map((recipe) => [recipe.name, ...summary(recipe)]),
    ),
    '',
  ].join('\n')
}

const answersOf = (runs: readonly LadderRun[]): Answers => runs.map(({ score }) => score.right)

const figure = (value: number): string => (100 * value).toFixed(1)
type Share = Pick<MeasuredShare, 'value' | 'low' | 'high'>
const share = ({ value, low, high }: Share): string => `${figure(value)} (${figure(low)} to ${figure(high)})`
const fewShare = ({ recall, low, high }: FewShot): Partial<Share> & Pick<Share, 'value'> => ({
  value: recall,
  ...(low !== undefined && high !== undefined && { low, high }),
})

/** The mean over seeds with the mean ends of their intervals, which are those of one seed. */
function meanShare(shares: readonly (Partial<Share> & Pick<Share, 'value'>)[]): string {
  const value = mean(shares.map((each) => each.value))
  const [low, high] = [shares.map((each) => each.low), shares.map((each) => each.high)]
  if (low.includes(undefined) || high.includes(undefined)) return figure(value)
  return share({ value, low: mean(low as number[]), high: mean(high as number[]) })
}
const plus = (value: number): string => `${value < 0 ? '' : '+'}${figure(value)}`
const signed = ({ value, low, high }: MeasuredShare): string => `${plus(value)} (${plus(low)} to ${plus(high)})`
const code = (text: string): string => `\`${text}\``

function fewShotNote(runs: readonly LadderRun[]): string {
  const few = runs.find(({ score }) => score.fewShot !== null)?.score.fewShot
  if (!few) return 'No class is few-shot.'
  const { classes, largest } = few
  return largest < fewPhotos
    ? `Few-shot: mean recall of the ${classes} classes with under ${fewPhotos} training photos.`
    : `Few-shot: mean recall of the third of the classes with the fewest training photos (${classes}, up to ${largest} photos); none has under ${fewPhotos}.`
}

/** Epochs by phase, then rates, schedule and average of the phase that trains everything. */
function summary({ phases }: Recipe): string[] {
  const { learningRate, ema } = phases.full
  return [
    phaseNames.map((name) => phases[name].epochs).join(' + '),
    learningRate.backbone.toExponential(1),
    learningRate.head.toExponential(1),
    learningRate.schedule.kind,
    ema === null ? 'none' : ema.decay.toFixed(4),
  ]
}
