import type { Board } from './board.ts'
import { bars, heat, lines, number } from './panel.ts'
import { chosen, mean, ofModel, quantile, rate, window } from './select.ts'

const predictions = `flowers_predictions_total{${ofModel}}`
const answers = `flowers_confidence_count{${ofModel}}`
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
      'Calibrated probability of the best class: of answers with 0.9, nine in ten are right on the test photos.',
      { expr: quantile(0.5, 'flowers_confidence', ofModel), legend: 'median' },
      { span: 6, max: 1 },
    ),
    number(
      'Abstentions',
      'percentunit',
      'Share of the answers of which the model was too unsure to name one class.',
      { expr: `${rate(`flowers_abstentions_total{${ofModel}}`)} / ${rate(answers)}`, legend: 'abstained' },
      { span: 6, limits: [0.1, 0.3] },
    ),
    number(
      'Drift',
      'percentunit',
      'Distance of the classes predicted in the last hour from those of training: 0 the same, 1 nothing in common. Of the model where it is most.',
      { expr: 'max(flowers:prediction_drift:ratio1h{model=~"$model"})', legend: 'drift' },
      { span: 6, max: 1, limits: [0.3, 0.5] },
    ),
    number(
      'Views',
      'short',
      'Mean number of views that an answer is made of.',
      { expr: mean('flowers_views_used', chosen), legend: 'views' },
      { span: 6 },
    ),
    lines(
      'Confidence',
      'percentunit',
      'Quantiles of the calibrated probability of the best class. A fall without a new model: other photos.',
      [0.1, 0.5, 0.9].map((share) => ({
        expr: quantile(share, 'flowers_confidence', ofModel, 'model'),
        legend: `{{model}} ${share * 100} %`,
      })),
      { max: 1 },
    ),
    heat('Confidence, all answers', 'percentunit', 'How many answers were how sure.', {
      expr: rate(`flowers_confidence_bucket{${ofModel}}`, 'le'),
      legend: '{{le}}',
    }),
    lines(
      'Abstentions by model',
      'percentunit',
      'Share of the answers of which the model was too unsure to name one class.',
      [
        {
          expr: `${rate(`flowers_abstentions_total{${ofModel}}`, 'model')} / ${rate(answers, 'model')}`,
          legend: '{{model}}',
        },
      ],
      { max: 1 },
    ),
    lines(
      'Drift by model',
      'percentunit',
      'Total variation distance between the classes predicted in the last hour and the class prior of the manifest. With few answers it is high by chance.',
      [{ expr: 'flowers:prediction_drift:ratio1h{model=~"$model"}', legend: '{{model}}' }],
      { max: 1 },
    ),
    bars(
      'Classes predicted, and in training',
      'percentunit',
      'The ten classes that were predicted most in the last hour, with their share in training below.',
      [
        { expr: `topk(10, ${shareByLabel('1h')})`, legend: '{{label}}' },
        { expr: `${prior} and on (model, label) topk(10, ${shareByLabel('1h')})`, legend: '{{label}} in training' },
      ],
    ),
    bars(
      'Classes that differ most',
      'percentunit',
      'Share predicted in the last hour less the share in training: what drift is made of.',
      [
        {
          expr: `topk(5, (${shareByLabel('1h')}) - on (model, label) ${prior})`,
          legend: '{{label}}, more',
        },
        {
          expr: `bottomk(5, (${shareByLabel('1h')}) - on (model, label) ${prior})`,
          legend: '{{label}}, less',
        },
      ],
    ),
    lines(
      'Classes predicted',
      'cps',
      'Answers a second by best class.',
      [{ expr: `sum by (model, label) (rate(${predictions}[${window}]))`, legend: '{{model}} {{label}}' }],
      { stack: 'values' },
    ),
    lines('Views by policy', 'short', 'Mean number of views of an answer, by the policy that was followed.', [
      { expr: mean('flowers_views_used', chosen, 'policy'), legend: '{{policy}}' },
    ]),
  ],
}
