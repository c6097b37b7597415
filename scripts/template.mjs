import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { root } from './setup.mjs'

/** A built module. @param {string} path from the root @returns {Promise<any>} */
export const load = (path) => import(pathToFileURL(join(root, path)).href)

/** @type {{ markdownTable: (head: string[], rows: unknown[][]) => string[] }} */
const { markdownTable } = await load('packages/shared/dist/markdown.js')
export { markdownTable as table }

/** @param {string} path from the root @returns {any} */
export const readJson = (path) => JSON.parse(readFileSync(join(root, path), 'utf8'))

/**
 * The page that docs/templates has under this name, with a value for each `{{key}}`; a list is lines. Throws where the
 * keys of the two differ.
 * @param {string} name @param {string} source what the values are made from @param {Record<string, unknown>} values
 */
export function fill(name, source, values) {
  const path = `docs/templates/${name}.md`
  const unused = new Set(Object.keys(values))
  const text = readFileSync(join(root, path), 'utf8').replaceAll(/\{\{(\w+)\}\}/g, (_, key) => {
    if (!(key in values)) throw new Error(`${path} asks for ${key}, which has no value`)
    unused.delete(key)
    return [values[key]].flat().join('\n').trimEnd()
  })
  if (unused.size > 0) throw new Error(`${path} has no place for ${[...unused].join(', ')}`)
  return `<!-- Made by \`npm run docs\` from ${path}, ${source}. -->\n\n${text}`
}
