// What the service withstands, at full size, with the models of models/ and the tests' own experiments:
//   node bench/load.mjs [overload] [soak] [reloads] [restart]         prints the figures
//   node bench/load.mjs [overload] [soak] [reloads] [restart] write   keeps them in docs/reliability.json
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { writeSection } from './reliability.mjs'
import { root } from './service.mjs'

/** @param {string} name @returns {Promise<any>} */
const testing = (name) => import(pathToFileURL(join(root, `packages/serve/dist/testing/${name}.js`)).href)
const { allocator, shippedModels, startProcess } = await testing('process')
const { photo } = await testing('pictures')
const { robustSlope } = await testing('statistics')

/** @typedef {Pick<import('../scripts/reliability-page.mjs').Section, 'columns' | 'rows' | 'intro'> & { model: string }} Measured */
/** @type {Record<string, () => Promise<Measured>>} */
const experiments = { overload, soak, reloads, restart }

const asked = process.argv.slice(2).filter((word) => word !== 'write')
for (const name of asked.length > 0 ? asked : Object.keys(experiments)) {
  const section = await experiments[name]?.()
  if (!section) throw new Error(`There is no ${name}; there are ${Object.keys(experiments).join(', ')}.`)
  console.log(name)
  console.table(section.rows)
  if (process.argv.includes('write')) writeSection(name, { command: `node bench/load.mjs ${name} write`, ...section })
}

async function overload() {
  const { capacity, overload: run } = await testing('overload')
  const service = await startProcess({ MODELS_DIR: shippedModels, FLOWERS_LOG_LEVEL: 'info' })
  const pictures = await Promise.all([1, 2, 3, 4].map((seed) => photo(seed, 640)))
  const most = await capacity({ url: service.url, pictures })
  const seconds = 60
  /** @type {any[]} */
  const loads = []
  for (const factor of [1, 2, 5]) {
    const deadlinesMs = [30_000, 5000, 2000]
    const options = { url: service.url, rate: factor * most, seconds, deadlinesMs, pictures, seed: factor }
    loads.push({ factor, ...(await run(options)) })
  }
  await service.stop()
  const ms = (/** @type {number} */ value) => (Number.isNaN(value) ? '' : `${value.toFixed(0)} ms`)
  /** @type {[what: string, limit: string, of: (load: any) => unknown][]} */
  const figures = [
    ['requests/s', '', ({ factor }) => (factor * most).toFixed(1)],
    ['sent', '', ({ sent }) => sent],
    ['answered with 200', '', ({ statuses }) => statuses[200] ?? 0],
    ...classFigures(loads),
    ['of those with one view', '', ({ policies }) => policies.none ?? 0],
    ['refused with 503 and Retry-After', '', ({ statuses }) => statuses[503] ?? 0],
    ['late, with 504', '', ({ statuses }) => statuses[504] ?? 0],
    ['of those admitted', '1 %', ({ lateShare }) => percent(lateShare)],
    [
      'anything else',
      '0',
      ({ statuses: { 200: _answered, 503: _refused, 504: _late, ...others } }) =>
        Object.entries(others)
          .map(([status, count]) => `${count} x ${status}`)
          .join(', ') || '0',
    ],
    ['share of the deadline that an answer took, p99', '1', ({ shareOfDeadline }) => shareOfDeadline.toFixed(2)],
    ['time of a refusal, p50', '', ({ refusedP50 }) => ms(refusedP50)],
    ['time of a refusal, p99', '', ({ refusedP99 }) => ms(refusedP99)],
    ['of ten seconds, median', '50 ms', ({ refusedMedianP99 }) => ms(refusedMedianP99)],
    ['time of `/livez`, p99', '', ({ livezP99 }) => ms(livezP99)],
    ['of ten seconds, median', '20 ms', ({ livezMedianP99 }) => ms(livezMedianP99)],
  ]
  const columns = ['what', 'limit', ...loads.map(({ factor }) => `${factor} x capacity`)]
  const rows = figures.map(([what, limit, of]) =>
    Object.fromEntries([what, limit, ...loads.map(of)].map((value, column) => [columns[column], value])),
  )
  return { model: 'garden18', columns, rows }
}

/** A row for each deadline: shares that were answered, refused and late, and views of an answer. @param {any[]} loads */
function classFigures(loads) {
  /** @type {number[]} */
  const deadlines = loads[0].classes.map((/** @type {any} */ { deadlineMs }) => deadlineMs)
  return deadlines.map((deadlineMs, index) => {
    /** @type {[what: string, limit: string, of: (load: any) => unknown]} */
    const figure = [
      `${deadlineMs / 1000} s to answer: answered, refused, late; views`,
      '',
      ({ classes }) => {
        const { sent, answered, refused, late, views } = classes[index]
        const shares = [answered, refused, late].map((count) => percent(count / sent)).join(', ')
        return `${shares}; ${answered > 0 ? views.toFixed(1) : ''}`
      },
    ]
    return figure
  })
}

/** @param {number} share */
function percent(share) {
  return Number.isNaN(share) ? '' : `${Number((100 * share).toFixed(1))} %`
}

async function soak() {
  const { soak: run, soakAtSize } = await testing('soak')
  /** @type {Record<string, Record<string, string>>} */
  const allocators = {
    'glibc, as `npm start` sets it': allocator,
    'jemalloc, as in the image': { LD_PRELOAD: 'libjemalloc.so.2' },
  }
  const rows = []
  for (const [name, variables] of Object.entries(allocators)) {
    const service = await startProcess({ MODELS_DIR: shippedModels, FLOWERS_LOG_LEVEL: 'info', ...variables })
    const { statuses, samples, slope } = await run({ service, ...soakAtSize })
    await service.stop()
    const { 200: answered = 0, left = 0, ...others } = statuses
    const megabytes = samples.map((/** @type {[number, number]} */ [, bytes]) => Math.round(bytes / 1e6))
    console.log(`${name}: ${megabytes.join(' ')} MB`)
    rows.push({
      allocator: name,
      answered,
      left,
      failed: Object.values(others).reduce((sum, each) => sum + each, 0),
      [`after ${soakAtSize.warmUp} (MB)`]: megabytes[0],
      [`after ${soakAtSize.requests}`]: megabytes.at(-1),
      most: Math.max(...megabytes),
      'MB a 1,000 requests (limit 1)': (slope / 1e3).toFixed(2),
    })
  }
  return { model: 'garden18', columns: Object.keys(rows[0] ?? {}), rows }
}

async function restart() {
  const { rateThatWaits, restartAtSize, restartOneByOne, stopUnderLoad } = await testing('restart')
  const load = await restartAtSize()
  const rounds = 5
  /** @type {Record<string, { answered: number, failures: string[], exitCodes: number[] }>} */
  const outcomes = {
    'SIGTERM to one instance, until `/readyz` said so': await stopUnderLoad({ ...load, rate: rateThatWaits }),
    [`two instances, each restarted ${rounds} times`]: await restartOneByOne({ ...load, rounds }),
  }
  const rows = Object.entries(outcomes).map(([what, { answered, failures, exitCodes }]) => {
    for (const failure of failures) console.log(failure)
    return { what, answered, failed: failures.length, 'exit codes': [...new Set(exitCodes)].join(', ') }
  })
  return { model: `garden18, ${load.rate} requests/s`, columns: Object.keys(rows[0] ?? {}), rows }
}

async function reloads() {
  const { reloadUnderLoad } = await testing('reloads')
  const [count, settled] = [60, 20]
  /** @type {Record<string, Record<string, string>>} */
  const allocators = {
    'glibc as it is': {},
    'glibc, as `npm start` sets it': allocator,
    'jemalloc, as in the image': { LD_PRELOAD: 'libjemalloc.so.2' },
  }
  const rows = []
  for (const [name, variables] of Object.entries(allocators)) {
    const environment = { MODELS_DIR: shippedModels, ...variables }
    const { answered, failures, resident } = await reloadUnderLoad({
      environment,
      model: 'garden18',
      reloads: count,
      clients: 4,
    })
    const megabytes = resident.map((/** @type {number} */ bytes) => Math.round(bytes / 1e6))
    console.log(`${name}: ${megabytes.join(' ')} MB`)
    const points = resident.map((/** @type {number} */ bytes, /** @type {number} */ index) => [index, bytes / 1e6])
    for (const failure of failures) console.log(failure)
    rows.push({
      allocator: name,
      answered,
      failed: failures.length,
      'after 1 (MB)': megabytes[0],
      [`after ${settled}`]: megabytes[settled - 1],
      [`after ${count}`]: megabytes[count - 1],
      most: Math.max(...megabytes),
      [`MB a reload after ${settled}`]: robustSlope(points.slice(settled)).toFixed(2),
    })
  }
  return { model: 'garden18', columns: Object.keys(rows[0] ?? {}), rows }
}
