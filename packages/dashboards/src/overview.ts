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
    number('Requests', 'reqps', 'Requests a second that ask the model.', { requests: rate(requests) }),
    number(
      'Failed',
      'percentunit',
      'Share of them that were answered with a status of 5xx. 503 is the service protecting itself.',
      { failed: `${rate(failures)} / ${rate(requests)}` },
      { limits: [0.005, 0.05] },
    ),
    number(
      'Duration, 95 %',
      's',
      'Seconds within which 95 % of the answers with status 200 were there.',
      { '95 %': quantile(0.95, seconds, done) },
      { limits: [1, 2.5] },
    ),
    number(
      'Instances ready',
      'short',
      'Instances that take work: the default model is loaded and warm, and they are not stopping.',
      { ready: `sum(flowers_ready{${chosen}})` },
    ),
    number('In flight', 'short', 'Requests that are being answered, those of probes too.', {
      'in flight': `sum(flowers_http_requests_in_flight{${chosen}})`,
    }),
    number('Waiting', 'short', 'Images that are admitted and of which no view was begun.', {
      waiting: `sum(flowers_queue_depth{${chosen}})`,
    }),
    lines(
      'Requests by status',
      'reqps',
      'Requests a second that ask the model. 499: the client left before its answer.',
      { '{{status}}': rate(requests, 'status') },
      { stack: 'values' },
    ),
    lines(
      'Requests by route',
      'reqps',
      'All requests a second, probes and pages too.',
      { '{{method}} {{route}}': rate(`${seconds}_count{${chosen}}`, 'method, route') },
      { stack: 'values' },
    ),
    lines(
      'Duration',
      's',
      'Quantiles of answers with status 200, from the headers of the request to the end of the answer; each at most a factor of 1.5 off. A point is a trace.',
      Object.fromEntries([0.5, 0.9, 0.95, 0.99].map((share) => [`${share * 100} %`, quantile(share, seconds, done)])),
      { traces: '99 %' },
    ),
    heat(
      'Duration, all answers',
      's',
      'How many answers with status 200 took how long: two bands are two kinds of request. A point is a trace.',
      { '{{le}}': rate(`${seconds}_bucket{${done}}`, 'le') },
      { traces: '{{le}}' },
    ),
    lines(
      'Images by result',
      'cps',
      'Images a second: answered, answered with an abstention, given up by the client, or refused by code.',
      { '{{result}}': rate(`flowers_images_total{${chosen}}`, 'result') },
      { stack: 'values' },
    ),
    lines(
      'Fewer views than asked',
      'cps',
      'Images a second that were answered with a cheaper policy, because the one asked would have been late: the first sign of too much load.',
      { 'to {{to}}': rate(`flowers_stepped_down_total{${chosen}}`, 'to') },
      { stack: 'values' },
    ),
    lines(
      'Models that serve',
      'short',
      'Instances by model and version: two versions during a roll-out or after a reload failed somewhere.',
      {
        '{{model}} {{version}} ({{architecture}})': `count by (model, version, architecture) (flowers_model_info{${ofModel}})`,
      },
    ),
    lines('Builds that run', 'short', 'Instances by version of the service and of Node.', {
      '{{version}} on Node {{node}}': `count by (version, node) (flowers_build_info{${chosen}})`,
    }),
    lines(
      'Reloads of models',
      'short',
      'Reloads in the last hour by result; after one that failed the version before goes on.',
      { '{{model}} {{result}}': `sum by (model, result) (increase(flowers_model_reloads_total{${chosen}}[1h]))` },
    ),
    lines(
      'Workers lost',
      'short',
      'Inference workers that stopped by themselves in the last hour, and were replaced.',
      { '{{model}}': `sum by (model) (increase(flowers_workers_lost_total{${ofModel}}[1h]))` },
    ),
  ],
}
