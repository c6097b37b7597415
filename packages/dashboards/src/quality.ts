import type { Board } from './board.ts'
import { bars, heat, lines, number } from './panel.ts'
import { chosen, mean, ofModel, quantile, rate, window } from './select.ts'

const predictions = `flowers_predictions_total{${ofModel}}`
const answers = `flowers_answers_total{${ofModel}}`
const shareByLabel = (range: string): string =>
  `sum by (model, label) (increase(${predictions}[${range}])) / on (model) group_left () sum by (model) (increase(${predictions}[${range}]))`
const prior = `avg by (model, label) (flowers_class_prior{${ofModel}})`

/** How good answers seem, where nobody says which are right. */
export const quality: Board = {
  name: 'quality',
  title: 'model quality and drift',
  description:
    'How sure the model is, how often it abstains, and whether it is asked about what it was trained on. Nothing here knows which answers are right.',
  panels: [
    number(
      'Confidence, median',
      'percentunit',
      'Probability of the best class. Of a model that is calibrated: of answers with 0.9, nine in ten are right on photos of its classes.',
      { median: quantile(0.5, 'flowers_confidence', ofModel) },
      { span: 6, max: 1 },
    ),
    number(
      'Not known',
      'percentunit',
      'Share of the pictures that are refused as none of the classes (level none).',
      { none: `${rate(`flowers_answers_total{${ofModel}, level="none"}`)} / ${rate(answers)}` },
      { span: 6, limits: [0.1, 0.3] },
    ),
    number(
      'Drift',
      'percentunit',
      'Distance of the classes predicted in the last hour from those of training: 0 the same, 1 nothing in common. Of the model where it is most.',
      { drift: 'max(flowers:prediction_drift:ratio1h{model=~"$model"})' },
      { span: 6, max: 1, limits: [0.3, 0.5] },
    ),
    number(
      'Views',
      'short',
      'Mean number of views that an answer is made of.',
      { views: mean('flowers_views_used', chosen) },
      { span: 6 },
    ),
    lines(
      'Confidence',
      'percentunit',
      'Quantiles of the probability of the best class. A fall without a new model: other photos.',
      Object.fromEntries(
        [0.1, 0.5, 0.9].map((share) => [
          `{{model}} ${share * 100} %`,
          quantile(share, 'flowers_confidence', ofModel, 'model'),
        ]),
      ),
      { max: 1 },
    ),
    heat('Confidence, all answers', 'percentunit', 'How many answers were how sure.', {
      '{{le}}': rate(`flowers_confidence_bucket{${ofModel}}`, 'le'),
    }),
    lines(
      'Answers by level',
      'cps',
      'none: refused as none of the classes; sure: not refused, and the set has one label; perhaps: the rest. A model that has no sets, or nothing to refuse by, is never sure.',
      { '{{level}}': rate(answers, 'level') },
      { stack: 'percent', span: 8 },
    ),
    lines(
      'Levels, and those of the validation photos',
      'percentunit',
      "Share of the last hour's answers by level, with the share that the manifest says the model has on its own validation photos. More of none: other things are photographed, or pictures are altered on their way; more of perhaps: photos unlike those of training.",
      {
        '{{model}} {{level}}': 'flowers:level:ratio1h{model=~"$model"}',
        '{{model}} {{level}}, validation': 'flowers:level_share:ratio{model=~"$model"}',
      },
      { max: 1, span: 8 },
    ),
    lines(
      'Drift by model',
      'percentunit',
      'Total variation distance between the classes predicted in the last hour and the class prior of the manifest. With few answers it is high by chance.',
      { '{{model}}': 'flowers:prediction_drift:ratio1h{model=~"$model"}' },
      { max: 1, span: 8 },
    ),
    bars(
      'Classes predicted, and in training',
      'percentunit',
      'The ten classes that were predicted most in the last hour, with their share in training below.',
      {
        '{{label}}': `topk(10, ${shareByLabel('1h')})`,
        '{{label}} in training': `${prior} and on (model, label) topk(10, ${shareByLabel('1h')})`,
      },
    ),
    bars(
      'Classes that differ most',
      'percentunit',
      'Share predicted in the last hour less the share in training: what drift is made of.',
      {
        '{{label}}, more': `topk(5, (${shareByLabel('1h')}) - on (model, label) ${prior})`,
        '{{label}}, less': `bottomk(5, (${shareByLabel('1h')}) - on (model, label) ${prior})`,
      },
    ),
    lines(
      'Classes predicted',
      'cps',
      'Answers a second by best class.',
      { '{{model}} {{label}}': `sum by (model, label) (rate(${predictions}[${window}]))` },
      { stack: 'values' },
    ),
    lines('Views by policy', 'short', 'Mean number of views of an answer, by the policy that was followed.', {
      '{{policy}}': mean('flowers_views_used', chosen, 'policy'),
    }),
  ],
}
