import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './setup.mjs'

/**
 * What was measured of one topic; `title` and `intro` override those of {@link topics}. A row has a value for each
 * column.
 * @typedef {{
 *   title?: string, intro?: string | string[], command: string, model?: string, machine?: string, date: string,
 *   columns?: string[], rows: Record<string, unknown>[]
 * }} Section
 */

/** The sections in the page's order, by their key in docs/reliability.json. @type {Record<string, { title: string, intro: string[] }>} */
const topics = {
  overload: {
    title: 'More than it can answer',
    intro: [
      'Requests are sent at random times (Poisson), whether or not earlier ones were answered, and timed from when they',
      'were due, so what waits for a connection counts. Deadlines are 30, 5 and 2 seconds in turn. Capacity is what eight',
      'clients get that ask one after the other for one view, the most that can be answered at all. `/livez` is asked',
      'twenty times a second meanwhile. The sender runs on the same cores, so limits of times hold for the median of windows',
      'of ten seconds.',
    ],
  },
  soak: {
    title: 'A long time',
    intro: [
      'Pictures of several sizes and formats, every policy, and clients that leave before their answer. The slope is the',
      'median of the slopes between all pairs of samples (Theil 1950, Sen 1968), taken after the warm-up.',
    ],
  },
  reloads: {
    title: 'New models under load',
    intro: [
      'The model is loaded anew, warmed beside the one that serves and put in its place, while four clients ask. Memory is',
      'that of the process once the workers before have ended; the slope is as above.',
    ],
  },
  restart: {
    title: 'Stopping and restarting',
    intro: ['SIGTERM while requests wait, and one instance after the other behind a proxy that asks `/readyz`.'],
  },
  fuzz: { title: 'Requests that make no sense', intro: [] },
  slowClients: { title: 'Clients that are slow', intro: [] },
  faults: { title: 'What breaks beneath it', intro: [] },
  images: { title: 'Images', intro: [] },
}

/** Columns of a section that names none. */
const usualColumns = ['what', 'result', 'figures']

/**
 * The page on what the service withstands, from the figures in docs/reliability.json.
 * @param {(head: string[], rows: unknown[][]) => string[]} table
 */
export function reliabilityPage(table) {
  const file = join(root, 'docs', 'reliability.json')
  /** @type {Record<string, Section>} */
  const measured = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {}
  const unknown = Object.keys(measured).filter((key) => !(key in topics))
  if (unknown.length > 0) throw new Error(`docs/reliability.json has a section that the page does not: ${unknown[0]}`)
  const sections = Object.entries(topics).flatMap(([key, topic]) => {
    const section = measured[key]
    return section ? describe({ ...topic, ...section }, table) : []
  })
  return [
    '<!-- Made by `npm run docs` from scripts/reliability-page.mjs and docs/reliability.json. -->',
    '',
    '# What the service withstands',
    '',
    'Each section was measured with the command it names, which also writes its figures into `docs/reliability.json`;',
    '`npm run docs` makes the page. The same is tested at a small size in `npm test` and at this size in',
    '`npm run test:full`; tests judge answers and shapes, not times. That no thread is beyond the plan and an idle service',
    'does nothing (under 1 % of a core) is tested in',
    '[process.test.ts](../tests/process.test.ts).',
    '',
    ...sections,
  ].join('\n')
}

/** @param {Section & { title: string, intro: string | string[] }} section @param {(head: string[], rows: unknown[][]) => string[]} table */
function describe({ title, intro, command, model, machine, date, columns = usualColumns, rows }, table) {
  const about = [intro].flat()
  const facts = [date, ...(model ? [model] : []), ...(machine ? [machine] : [])]
  return [
    `## ${title}`,
    '',
    ...(about.length > 0 ? [...about, ''] : []),
    ...table(
      columns,
      rows.map((row) => columns.map((column) => row[column] ?? '')),
    ),
    '',
    `${facts.join(', ')}:`,
    '',
    '```sh',
    command,
    '```',
    '',
  ]
}
