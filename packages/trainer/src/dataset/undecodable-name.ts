import { escapedBytes } from '../console/command.ts'

/** The name of a directory entry; undefined where its bytes are no UTF-8. */
export function decodeName(name: Buffer): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(name)
  } catch {
    return undefined
  }
}

/** A name as a person may read it, bytes that are not ASCII as `\xe9`. */
export const escapeName = (name: Buffer): string =>
  Array.from(name, (byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : escapedBytes([byte]))).join('')

/**
 * A line for a shell that renames a file or folder whose name is no UTF-8. The new name is a guess: the bytes as Windows
 * and Linux of western Europe wrote them before UTF-8, with `_` where that is no letter or sign.
 */
export function renaming(folder: string, name: Buffer): string {
  const guess = new TextDecoder('windows-1252').decode(name).replaceAll(/\p{Cc}/gu, '_')
  return `mv -- ${quoted(folder)}/${quoted(name)} ${quoted(folder)}/${quoted(guess)}`
}

/** A word for bash and zsh; of a text the letters beyond ASCII stay as they are. */
function quoted(word: Buffer | string): string {
  if (typeof word === 'string' && /^[\w./@:+,-]+$/u.test(word)) return word
  const escape = (text: string): string => text.replaceAll(/['\\]/g, '\\$&')
  if (typeof word === 'string')
    return `$'${escape(word).replaceAll(/\p{Cc}/gu, (control) => escapedBytes(Buffer.from(control)))}'`
  return `$'${Array.from(word, (byte) => (byte >= 0x20 && byte < 0x7f ? escape(String.fromCharCode(byte)) : escapedBytes([byte]))).join('')}'`
}
