import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './setup.mjs'

const skipped = new Set(['node_modules', 'dist', '.venv', '.git', '.cache', 'runs'])

/**
 * Files of the project whose names match, without what is installed, built or left by a run.
 * @param {RegExp} name
 * @param {string} [folder]
 * @returns {string[]} absolute paths
 */
export function projectFiles(name, folder = root) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return skipped.has(entry.name) ? [] : projectFiles(name, path)
    return name.test(entry.name) ? [path] : []
  })
}
