// What the service withstands, at full size, with the models of models/ and the tests' own experiments:
//   node bench/load.mjs [overload] [soak] [reloads] [restart]         prints the figures
//   node bench/load.mjs [overload] [soak] [reloads] [restart] write   keeps them in docs/reliability.json
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { writeSection } from './reliability.mjs'
import { root } from './service.mjs'

/** @param {string} name @returns {Promise<any>} */
const testing = (name) => import(pathToFileURL(join(root, `packages/serve/dist/testing/${name}.js`)).href)
const { shippedModels } = await testing('process')
const { robustSlope } = await testing('statistics')

/** @typedef {Pick<import('../scripts/reliability-page.mjs').Section, 'columns' | 'rows' | 'intro'> & { model: string }} Measured */
/** @type {Record<string, () => Promise<Measured>>} */
const experiments = { reloads }

const asked = process.argv.slice(2).filter((word) => word !== 'write')
for (const name of asked.length > 0 ? asked : Object.keys(experiments)) {
  const section = await experiments[name]?.()
  if (!section) throw new Error(`There is no ${name}; there are ${Object.keys(experiments).join(', ')}.`)
  console.log(name)
  console.table(section.rows)
  if (process.argv.includes('write')) writeSection(name, { command: `node bench/load.mjs ${name} write`, ...section })
}

async function reloads() {
  const { reloadUnderLoad } = await testing('reloads')
  const [count, settled] = [60, 20]
  /** @type {Record<string, Record<string, string>>} */
  const allocators = {
    'glibc as it is': {},
    'MALLOC_ARENA_MAX=2': { MALLOC_ARENA_MAX: '2' },
    'MALLOC_MMAP_THRESHOLD_=1048576': { MALLOC_MMAP_THRESHOLD_: '1048576' },
    'jemalloc, as in the image': { LD_PRELOAD: 'libjemalloc.so.2' },
  }
  const rows = []
  for (const [allocator, variables] of Object.entries(allocators)) {
    const environment = { MODELS_DIR: shippedModels, ...variables }
    const { statuses, resident } = await reloadUnderLoad({ environment, model: 'garden18', reloads: count, clients: 4 })
    const megabytes = resident.map((/** @type {number} */ bytes) => Math.round(bytes / 1e6))
    console.log(`${allocator}: ${megabytes.join(' ')} MB`)
    const points = resident.map((/** @type {number} */ bytes, /** @type {number} */ index) => [index, bytes / 1e6])
    const { 200: answered = 0, ...failed } = statuses
    rows.push({
      allocator,
      answered,
      failed: Object.values(failed).reduce((sum, each) => sum + each, 0),
      'after 1 (MB)': megabytes[0],
      [`after ${settled}`]: megabytes[settled - 1],
      [`after ${count}`]: megabytes[count - 1],
      most: Math.max(...megabytes),
      [`MB a reload after ${settled}`]: robustSlope(points.slice(settled)).toFixed(2),
    })
  }
  return { model: 'garden18', columns: Object.keys(rows[0] ?? {}), rows }
}
