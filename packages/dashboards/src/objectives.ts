import type { Board } from './board.ts'
import { lines, number } from './panel.ts'

/** What is promised for 30 days; deploy/prometheus/rules/slo.yml says how much of it and what counts. */
const objectives = {
  availability: 'requests that ask the model and are not answered with 5xx',
  latency: 'answers with status 2xx that come in time',
} as const

const windows = ['5m', '1h', '6h', '3d'] as const

/** The dashboard of the objectives. */
export const slo: Board = {
  name: 'slo',
  title: 'objectives and error budget',
  description: 'Whether what was promised is kept over 30 days, and how fast the budget of errors is used.',
  panels: Object.entries(objectives).flatMap(([name, about]) => {
    const labels = `slo="${name}", job=~"$job"`
    const errors = (window: string): string => `flowers:sli_errors:ratio_rate${window}{${labels}}`
    const allowed = `(1 - flowers:slo_objective:ratio{slo="${name}"})`
    const burn = (window: string): string => `${errors(window)} / on (slo) group_left () ${allowed}`
    return [
      number(
        `Kept: ${name}`,
        'percentunit',
        `Share of ${about}, over the last three days.`,
        { '{{job}}': `1 - ${errors('3d')}` },
        { span: 5, decimals: 2 },
      ),
      number(
        `Promised: ${name}`,
        'percentunit',
        `Share of ${about}, as promised for 30 days.`,
        { promised: `flowers:slo_objective:ratio{slo="${name}"}` },
        { span: 4, decimals: 1 },
      ),
      number(
        `Budget left: ${name}`,
        'percentunit',
        'What is left of what may fail in 30 days. 100 %: nothing failed; below 0 %: the objective is missed.',
        { '{{job}}': `flowers:slo_error_budget:remaining30d{${labels}}` },
        { span: 5 },
      ),
      number(
        `Burn rate, an hour: ${name}`,
        'short',
        'How many times faster than allowed the budget is used. At 1 it lasts 30 days, at 14.4 two.',
        { '{{job}}': burn('1h') },
        { span: 5, limits: [1, 14.4] },
      ),
      number(
        `Burn rate, three days: ${name}`,
        'short',
        'The slow leak. Above 1 for long, the objective will be missed.',
        { '{{job}}': burn('3d') },
        { span: 5, limits: [1, 2] },
      ),
      lines(
        `Not kept: ${name}`,
        'percentunit',
        `Share that is not among the ${about}, over five minutes and an hour.`,
        Object.fromEntries(['5m', '1h'].map((window) => [`{{job}} ${window}`, errors(window)])),
      ),
      lines(
        `Burn rates: ${name}`,
        'short',
        'By window. A long and a short one together alert: 14.4 over 1h and 5m, 6 over 6h and 30m, 1 over 3d and 6h.',
        Object.fromEntries(windows.map((window) => [`{{job}} ${window}`, burn(window)])),
      ),
    ]
  }),
}
