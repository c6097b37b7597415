import type { FileDigest } from '../files.ts'
import { SharedError } from '../errors.ts'

/** Throws MODEL_TAMPERED unless a file is what the manifest says. */
export function assertAsListed(path: string, actual: FileDigest, expected: FileDigest): void {
  if (actual.bytes !== expected.bytes) {
    throw new SharedError('MODEL_TAMPERED', `${path} has ${actual.bytes} bytes, its manifest says ${expected.bytes}.`)
  }
  if (actual.sha256 !== expected.sha256) {
    throw new SharedError('MODEL_TAMPERED', `${path} has another sha256 than its manifest says.`)
  }
}
