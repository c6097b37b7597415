import type { Board } from './board.ts'
import { heat, lines, number } from './panel.ts'
import { answering, chosen, ofModel, quantile, rate } from './select.ts'

const seconds = 'flowers_http_request_duration_seconds'
const requests = `${seconds}_count{${answering}}`
const failures = `${seconds}_count{${answering}, status=~"5.."}`
const done = `${answering}, status="200"`

/** The first look: is it used, does it fail, is it slow. */
export const overview: Board = {
  name: 'overview',
  title: 'overview',
  description: 'How much is asked, how much fails, how long it takes. Requests are those that ask the model.',
  panels: [
    number(
      { title: 'Requests', description: 'Requests a second that ask the model.', unit: 'reqps' },
      { expr: rate(requests), legend: 'requests' },
    ),
    number(
      {
        title: 'Failed',
        description: 'Share of them that were answered with a status of 5xx. 503 is the service protecting itself.',
        unit: 'percentunit',
      },
      { expr: `${rate(failures)} / ${rate(requests)}`, legend: 'failed' },
      { limits: [0.005, 0.05] },
    ),
    number(
      {
        title: 'Duration, 95 %',
        description: 'Seconds within which 95 % of the answers with status 200 were there.',
        unit: 's',
      },
      { expr: quantile(0.95, seconds, done), legend: '95 %' },
      { limits: [1, 2.5] },
    ),
    number(
      {
        title: 'Instances ready',
        description: 'Instances that take work: the default model is loaded and warm, and they are not stopping.',
        unit: 'short',
      },
      { expr: `sum(flowers_ready{${chosen}})`, legend: 'ready' },
    ),
    number(
      { title: 'In flight', description: 'Requests that are being answered, those of probes too.', unit: 'short' },
      { expr: `sum(flowers_http_requests_in_flight{${chosen}})`, legend: 'in flight' },
    ),
    number(
      { title: 'Waiting', description: 'Images that are admitted and of which no view was begun.', unit: 'short' },
      { expr: `sum(flowers_queue_depth{${chosen}})`, legend: 'waiting' },
    ),
    lines(
      {
        title: 'Requests by status',
        description: 'Requests a second that ask the model. 499: the client left before its answer.',
        unit: 'reqps',
      },
      [{ expr: rate(requests, 'status'), legend: '{{status}}' }],
      { stack: 'values' },
    ),
    lines(
      { title: 'Requests by route', description: 'All requests a second, probes and pages too.', unit: 'reqps' },
      [{ expr: rate(`${seconds}_count{${chosen}}`, 'method, route'), legend: '{{method}} {{route}}' }],
      { stack: 'values' },
    ),
    lines(
      {
        title: 'Duration',
        description:
          'Quantiles of answers with status 200, from the headers of the request to the end of the answer; each at most a factor of 1.5 off. A point is a trace.',
        unit: 's',
      },
      [0.5, 0.9, 0.95, 0.99].map((share) => ({
        expr: quantile(share, seconds, done),
        legend: `${share * 100} %`,
        exemplar: share === 0.99,
      })),
    ),
    heat(
      {
        title: 'Duration, all answers',
        description:
          'How many answers with status 200 took how long: two bands are two kinds of request. A point is a trace.',
        unit: 's',
      },
      { expr: rate(`${seconds}_bucket{${done}}`, 'le'), legend: '{{le}}', exemplar: true },
    ),
    lines(
      {
        title: 'Images by result',
        description:
          'Images a second: answered, answered with an abstention, given up by the client, or refused by code.',
        unit: 'cps',
      },
      [{ expr: rate(`flowers_images_total{${chosen}}`, 'result'), legend: '{{result}}' }],
      { stack: 'values' },
    ),
    lines(
      {
        title: 'Fewer views than asked',
        description:
          'Images a second that were answered with a cheaper policy, because the one asked would have been late: the first sign of too much load.',
        unit: 'cps',
      },
      [{ expr: rate(`flowers_stepped_down_total{${chosen}}`, 'to'), legend: 'to {{to}}' }],
      { stack: 'values' },
    ),
    lines(
      {
        title: 'Models that serve',
        description:
          'Instances by model and version: two versions during a roll-out or after a reload failed somewhere.',
        unit: 'short',
      },
      [
        {
          expr: `count by (model, version, architecture) (flowers_model_info{${ofModel}})`,
          legend: '{{model}} {{version}} ({{architecture}})',
        },
      ],
    ),
    lines(
      {
        title: 'Builds that run',
        description: 'Instances by version of the service and of Node.',
        unit: 'short',
      },
      [{ expr: `count by (version, node) (flowers_build_info{${chosen}})`, legend: '{{version}} on Node {{node}}' }],
    ),
    lines(
      {
        title: 'Reloads of models',
        description: 'Reloads in the last hour by result; after one that failed the version before goes on.',
        unit: 'short',
      },
      [
        {
          expr: `sum by (model, result) (increase(flowers_model_reloads_total{${chosen}}[1h]))`,
          legend: '{{model}} {{result}}',
        },
      ],
    ),
    lines(
      {
        title: 'Workers lost',
        description: 'Inference workers that stopped by themselves in the last hour, and were replaced.',
        unit: 'short',
      },
      [{ expr: `sum by (model) (increase(flowers_workers_lost_total{${ofModel}}[1h]))`, legend: '{{model}}' }],
    ),
  ],
}
