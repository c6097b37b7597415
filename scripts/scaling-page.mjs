import { fill, readJson, table } from './template.mjs'

/** Of a core, the share that is planned with: above it, waiting grows faster than throughput. */
const utilisation = 0.6

/** The cores that a pod of deploy/kubernetes has, and pods at the least. */
const podCores = 2
const leastPods = 2

/** The page on growing, from the figures that `node bench/latency.mjs 100 640 write` has left. */
export function scalingPage() {
  const { policies, ...measured } = readJson('docs/capacity.json')
  const perCore = (/** @type {string} */ policy) => (1000 / policies[policy].cpuMs) * utilisation
  const cores = (/** @type {number} */ rate) => rate / perCore('exact')
  return fill('scaling', 'docs/capacity.json', {
    ...measured,
    utilisation,
    costs: table(
      ['`tta=`', 'views', 'of a core', 'requests/s a core, at most', `at ${utilisation * 100} %, as planned with`],
      Object.entries(policies).map(([policy, { views, cpuMs }]) => [
        policy,
        views,
        `${cpuMs} ms`,
        (1000 / cpuMs).toFixed(1),
        perCore(policy).toFixed(1),
      ]),
    ),
    cores: table(
      ['requests/s', 'cores', `pods of ${podCores} cores, at least ${leastPods}`],
      [5, 10, 25, 50, 100, 250].map((rate) => [
        rate,
        cores(rate).toFixed(1),
        Math.max(leastPods, Math.ceil(cores(rate) / podCores)),
      ]),
    ),
    saving: (policies.exact.cpuMs / policies.none.cpuMs).toFixed(1),
  })
}
