// What the service does with hostile requests, slow clients and faults: prints tables and writes the sections of
// docs/reliability.json. Build first.
//   node bench/hostile.mjs [fuzz] [slowClients] [faults]
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { writeSection } from './reliability.mjs'
import { root } from './service.mjs'

/** @param {string} name of tests/hostile, built */
const load = (name) => import(pathToFileURL(join(root, 'tests', 'dist', 'hostile', `${name}.js`)).href)
const megabytes = (/** @type {number} */ bytes) => `${Math.round(bytes / 1e6)} MB`
const counts = (/** @type {Iterable<[string | number, string | number]>} */ entries) =>
  [...entries].map(([key, count]) => `${key}: ${count}`).join(', ')

/** @type {Record<string, () => Promise<{ title: string, intro: string, rows: Record<string, unknown>[] }>>} */
const topics = {
  async fuzz() {
    const { fuzz } = await load('fuzz')
    const { kinds, violations, resident, label, code } = await fuzz({ requests: 12_000, seed: 2 })
    const [early, late] = resident.map(megabytes)
    return {
      title: 'Requests that make no sense',
      intro: `Seeded requests over raw connections: images of every format with bytes changed, forms, tensors, headers, lengths and chunks that are wrong. ${violations.length} of them were answered otherwise than declared or not at all. Resident memory after half of them ${early}, at the end ${late}; a good picture afterwards: ${label}; exit code at SIGTERM: ${code}.`,
      rows: kinds.map((/** @type {any} */ each) => ({
        kind: each.kind,
        requests: each.requests,
        statuses: counts([...each.statuses].sort(([a], [b]) => a - b)),
        'closed, as incomplete': each.closed,
      })),
    }
  },
  async slowClients() {
    const { slowClients, slowKinds } = await load('slow-clients')
    const rows = []
    for (const kind of slowKinds) {
      const { ends, others, slowestMs, bytes } = await slowClients([kind], 2000)
      rows.push({
        'what 2,000 clients do': kind,
        'their end': counts(Object.entries(ends[kind] ?? { 'closed by the service': 2000 })),
        'others meanwhile': counts(others),
        'slowest of those': `${Math.round(slowestMs)} ms`,
        'memory more': megabytes(bytes),
      })
    }
    return {
      title: 'Clients that are slow',
      intro:
        'Clients of one kind at a time, all at once, with timeouts of 2 s (3 s for uploads) in place of the defaults; others classify pictures one after the other until all are cut.',
      rows,
    }
  },
  async faults() {
    const { faultNames, meetFault } = await load('faults')
    const { resolveModel } = await import(pathToFileURL(join(root, 'packages/shared/dist/model/package.js')).href)
    const models = join(root, 'models')
    const model = { ...(await resolveModel(models, 'garden18')), models }
    const rows = []
    for (const name of faultNames) {
      const { statuses, wrong, facts, code } = await meetFault(name, model)
      rows.push({
        fault: name,
        answers: counts(Object.entries(statuses)),
        'wrong labels': wrong,
        'what was told': counts(Object.entries(facts)),
        'exit code': code,
      })
    }
    return {
      title: 'What breaks beneath it',
      intro:
        'garden18 with four clients that ask all the time; every answer is compared with the one before the fault.',
      rows,
    }
  },
}

const asked = process.argv.slice(2)
for (const name of asked.length > 0 ? asked : Object.keys(topics)) {
  const section = await topics[name]?.()
  if (!section) throw new Error(`There is no topic ${name}; there are: ${Object.keys(topics).join(', ')}.`)
  console.log(section.intro)
  console.table(section.rows)
  const columns = Object.keys(section.rows[0] ?? {})
  writeSection(name, { ...section, columns, command: `node bench/hostile.mjs ${name}` })
}
