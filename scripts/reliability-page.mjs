import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { root } from './setup.mjs'
import { fill, readJson, table } from './template.mjs'

/** Titles and introductions of the sections, in the page's order. */
const topicsFile = 'docs/templates/reliability.yml'

/**
 * What was measured of one topic; `title` and `intro` override those of the topic. A row has a value for each column.
 * @typedef {{
 *   title?: string, intro?: string | string[], command: string, model?: string, machine?: string, date: string,
 *   columns?: string[], rows: Record<string, unknown>[]
 * }} Section
 */

/** Columns of a section that names none. */
const usualColumns = ['what', 'result', 'figures']

/** The page on what the service withstands, from the figures in docs/reliability.json. */
export function reliabilityPage() {
  /** @type {Record<string, { title: string, intro?: string }>} */
  const topics = parse(readFileSync(join(root, topicsFile), 'utf8'))
  /** @type {Record<string, Section>} */
  const measured = readJson('docs/reliability.json')
  const unknown = Object.keys(measured).filter((key) => !(key in topics))
  if (unknown.length > 0) throw new Error(`${topicsFile} has no section ${unknown[0]}, which docs/reliability.json has`)
  const sections = Object.entries(topics).flatMap(([key, topic]) => {
    const section = measured[key]
    return section ? describe({ intro: [], ...topic, ...section }) : []
  })
  return fill('reliability', `docs/reliability.json, ${topicsFile}`, { sections })
}

/** @param {Section & { title: string, intro: string | string[] }} section */
function describe({ title, intro, command, model, machine, date, columns = usualColumns, rows }) {
  const about = [intro].flat()
  const facts = [date, model, machine].filter(Boolean)
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
