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
      {
        title: 'Confidence, median',
        description:
          'Calibrated probability of the best class: of answers with 0.9, nine in ten are right on the test photos.',
        unit: 'percentunit',
      },
      { expr: quantile(0.5, 'flowers_confidence', ofModel), legend: 'median' },
      { span: 6, max: 1 },
    ),
    number(
      {
        title: 'Abstentions',
        description: 'Share of the answers of which the model was too unsure to name one class.',
        unit: 'percentunit',
      },
      { expr: `${rate(`flowers_abstentions_total{${ofModel}}`)} / ${rate(answers)}`, legend: 'abstained' },
      { span: 6, limits: [0.1, 0.3] },
    ),
    number(
      {
        title: 'Drift',
        description:
          'Distance of the classes predicted in the last hour from those of training: 0 the same, 1 nothing in common. Of the model where it is most.',
        unit: 'percentunit',
      },
      { expr: 'max(flowers:prediction_drift:ratio1h{model=~"$model"})', legend: 'drift' },
      { span: 6, max: 1, limits: [0.3, 0.5] },
    ),
    number(
      { title: 'Views', description: 'Mean number of views that an answer is made of.', unit: 'short' },
      { expr: mean('flowers_views_used', chosen), legend: 'views' },
      { span: 6 },
    ),
    lines(
      {
        title: 'Confidence',
        description:
          'Quantiles of the calibrated probability of the best class. A fall without a new model: other photos.',
        unit: 'percentunit',
      },
      [0.1, 0.5, 0.9].map((share) => ({
        expr: quantile(share, 'flowers_confidence', ofModel, 'model'),
        legend: `{{model}} ${share * 100} %`,
      })),
      { max: 1 },
    ),
    heat(
      {
        title: 'Confidence, all answers',
        description: 'How many answers were how sure.',
        unit: 'percentunit',
      },
      { expr: rate(`flowers_confidence_bucket{${ofModel}}`, 'le'), legend: '{{le}}' },
    ),
    lines(
      {
        title: 'Abstentions by model',
        description: 'Share of the answers of which the model was too unsure to name one class.',
        unit: 'percentunit',
      },
      [
        {
          expr: `${rate(`flowers_abstentions_total{${ofModel}}`, 'model')} / ${rate(answers, 'model')}`,
          legend: '{{model}}',
        },
      ],
      { max: 1 },
    ),
    lines(
      {
        title: 'Drift by model',
        description:
          'Total variation distance between the classes predicted in the last hour and the class prior of the manifest. With few answers it is high by chance.',
        unit: 'percentunit',
      },
      [{ expr: 'flowers:prediction_drift:ratio1h{model=~"$model"}', legend: '{{model}}' }],
      { max: 1 },
    ),
    bars(
      {
        title: 'Classes predicted, and in training',
        description: 'The ten classes that were predicted most in the last hour, with their share in training below.',
        unit: 'percentunit',
      },
      [
        { expr: `topk(10, ${shareByLabel('1h')})`, legend: '{{label}}' },
        { expr: `${prior} and on (model, label) topk(10, ${shareByLabel('1h')})`, legend: '{{label}} in training' },
      ],
    ),
    bars(
      {
        title: 'Classes that differ most',
        description: 'Share predicted in the last hour less the share in training: what drift is made of.',
        unit: 'percentunit',
      },
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
      {
        title: 'Classes predicted',
        description: 'Answers a second by best class.',
        unit: 'cps',
      },
      [{ expr: `sum by (model, label) (rate(${predictions}[${window}]))`, legend: '{{model}} {{label}}' }],
      { stack: 'values' },
    ),
    lines(
      {
        title: 'Views by policy',
        description: 'Mean number of views of an answer, by the policy that was followed.',
        unit: 'short',
      },
      [{ expr: mean('flowers_views_used', chosen, 'policy'), legend: '{{policy}}' }],
    ),
  ],
}
