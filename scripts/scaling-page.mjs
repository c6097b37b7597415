import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './setup.mjs'

/** Of a core, the share that is planned with: above it, waiting grows faster than throughput. */
const utilisation = 0.6

/** The cores that a pod of deploy/kubernetes has, and pods at the least. */
const podCores = 2
const leastPods = 2

/**
 * The page on growing, from the figures that `node bench/latency.mjs 100 640 write` has left.
 * @param {(head: string[], rows: unknown[][]) => string[]} table
 */
export function scalingPage(table) {
  const { date, cpu, model, requests, side, policies } = JSON.parse(
    readFileSync(join(root, 'docs', 'capacity.json'), 'utf8'),
  )
  const perCore = (/** @type {string} */ policy) => (1000 / policies[policy].cpuMs) * utilisation
  const cores = (/** @type {number} */ rate) => rate / perCore('exact')
  return [
    '<!-- Made by `npm run docs` from scripts/scaling-page.mjs and docs/capacity.json. -->',
    '',
    '# From one machine to many',
    '',
    'One process uses all the cores it is given, one worker a core, and refuses what it cannot answer in time. Stay with it',
    'until one of these is so:',
    '',
    '- **The cores of the machine are not enough.** The arithmetic is below.',
    '- **A restart must not be seen.** A process takes seconds to load its model; a second replica answers meanwhile.',
    '- **A machine may fail.** The same, on another machine.',
    '',
    'A larger machine is simpler than more machines, and as quick: images do not wait for one another across processes.',
    '',
    '## What a core answers',
    '',
    `Measured on ${date} with ${model}, ${requests} JPEGs of ${side} px for each policy, on ${cpu}. The time of a core is what`,
    'the process used for a request in all its threads: decoding, every view, the answer.',
    '',
    ...table(
      ['`tta=`', 'views', 'of a core', 'requests/s a core, at most', `at ${utilisation * 100} %, as planned with`],
      Object.entries(policies).map(([policy, { views, cpuMs }]) => [
        policy,
        views,
        `${cpuMs} ms`,
        (1000 / cpuMs).toFixed(1),
        perCore(policy).toFixed(1),
      ]),
    ),
    '',
    'Larger photos take longer to decode, about in proportion to their pixels, and another model has other figures. One',
    'command measures anew, on the machine that will serve and with the photos it will see in mind; `npm run docs` then',
    'writes this page again:',
    '',
    '```sh',
    `node bench/latency.mjs 100 ${side} write && npm run docs`,
    '```',
    '',
    '## How many cores',
    '',
    `cores = requests/s x seconds of a core / ${utilisation}. Take the requests of the busiest minute. Above about 70 % of the`,
    'cores the wait in the queue grows without bound before throughput does; the rest is also what a failing replica leaves',
    'to the others. With `exact`:',
    '',
    ...table(
      ['requests/s', 'cores', `pods of ${podCores} cores, at least ${leastPods}`],
      [5, 10, 25, 50, 100, 250].map((rate) => [
        rate,
        cores(rate).toFixed(1),
        Math.max(leastPods, Math.ceil(cores(rate) / podCores)),
      ]),
    ),
    '',
    `\`tta=none\` (\`FLOWERS_TTA=none\`) takes ${(policies.exact.cpuMs / policies.none.cpuMs).toFixed(1)} times fewer cores and gives up`,
    'some accuracy: the model card says how much.',
    '',
    '## How replicas are added',
    '',
    'The autoscaler of [deploy/kubernetes](../deploy/kubernetes/base/horizontal-pod-autoscaler.yaml) follows the time that',
    'images wait for a worker, not the CPU: the CPU is busy long before anybody waits, and stays at its limit however long',
    'the queue. Its target is a mean wait of 50 ms; at twice that, it doubles the replicas, and after ten quiet minutes it',
    'takes them away one by one. Prometheus records the mean (`flowers:queue_seconds:mean2m` in',
    '[scaling.yml](../deploy/prometheus/rules/scaling.yml)) and prometheus-adapter offers it to the autoscaler',
    '([adapter-values.yaml](../deploy/kubernetes/overlays/prometheus-operator/adapter-values.yaml)). Without the adapter the',
    'number of replicas stays where it is.',
    '',
    'A new replica is ready some seconds after it is scheduled. Until then the queue absorbs `FLOWERS_QUEUE_LIMIT` images a',
    'replica, and what does not fit is answered with 503 and Retry-After.',
    '',
  ].join('\n')
}
