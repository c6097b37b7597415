import { dirname } from 'node:path'
import { fromUser, toUser } from './paths.ts'

/** A word that every shell takes as it stands. */
const plain = /^[\p{L}\p{N}_./-][\p{L}\p{M}\p{N}_.,/:@%+=-]*$/u

/** Bytes as `$'...'` of a shell, or a person, reads them: `\xc2\x85`. */
export const escapedBytes = (bytes: Iterable<number>): string =>
  Array.from(bytes, (byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('')

/** A word as a person can paste it into a shell. */
export function shellWord(word: string): string {
  if (plain.test(word)) return word
  if (!/\p{Cc}/u.test(word)) return `'${word.replaceAll("'", `'\\''`)}'`
  // A line break would end the command where it is pasted.
  const escaped = word.replace(/['\\]/g, '\\$&').replace(/\p{Cc}/gu, (control) => escapedBytes(Buffer.from(control)))
  return `$'${escaped}'`
}

/** A path in a command: from the folder the person stands in, and no option whatever it begins with. */
export function pathWord(path: string): string {
  const seen = toUser(path)
  return seen.startsWith('-') ? `./${seen}` : seen
}

/**
 * A command of the trainer that can be pasted, called as this one was: by the script of the repository, by pnpm's
 * filter, or by Node.
 */
export function command(name: string, ...words: readonly string[]): string {
  const { called, names } = caller()
  return [called, ...[...(names === name ? [] : [name]), ...words].map(shellWord)].join(' ')
}

/** The words before those of a command, and the command that they stand for where none is named. */
function caller(): { called: string; names?: string } {
  const {
    npm_package_name: owner,
    npm_lifecycle_event: script,
    npm_package_json: manifest = '',
    npm_config_user_agent: agent = '',
    npm_execpath: program = '',
  } = process.env
  const isPnpm = agent.startsWith('pnpm/')
  // pnpm that came through npx is in nobody's path.
  const pnpm = program.includes('_npx') ? `npx pnpm@${agent.split(/[/ ]/)[1]}` : 'pnpm'
  if (owner === 'flowers' && script === 'train') {
    const names = 'train'
    if (isPnpm) return { called: `${pnpm} train`, names }
    return { called: `${npmIn(dirname(manifest))} run train --`, names }
  }
  if (owner === '@flowers/trainer' && isPnpm) return { called: `${pnpm} --filter trainer` }
  return { called: `node ${shellWord(pathWord(process.argv[1] ?? 'trainer.cjs'))}` }
}

/** npm for the package in a folder, wherever the person stands. */
export const npmIn = (folder: string): string =>
  folder === fromUser('.') ? 'npm' : `npm --prefix ${shellWord(pathWord(folder))}`
