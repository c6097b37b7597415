import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { root } from './service.mjs'

/**
 * Puts what was measured into docs/reliability.json, for docs/reliability.md; other sections stay as they are. Machine
 * and date are those of now unless they are given.
 * @param {string} key one of the topics of docs/templates/reliability.yml
 * @param {Partial<import('../scripts/reliability-page.mjs').Section> & Pick<import('../scripts/reliability-page.mjs').Section, 'command' | 'rows'>} section
 */
export function writeSection(key, section) {
  const file = join(root, 'docs', 'reliability.json')
  const sections = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {}
  const date = new Date().toISOString().slice(0, 10)
  const machine = `${cpus().length} cores (${cpus()[0]?.model})`
  sections[key] = { machine, date, ...section }
  writeFileSync(file, `${JSON.stringify(sections, null, 2)}\n`)
}
