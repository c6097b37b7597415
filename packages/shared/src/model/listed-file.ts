import { SharedError } from '../errors.ts'

/** Size of a file in bytes and the sha256 of its content. */
export interface Measured {
  readonly sha256: string
  readonly bytes: number
}

/** Throws MODEL_TAMPERED unless a file is what the manifest says. */
export function assertAsListed(path: string, actual: Measured, expected: Measured): void {
  if (actual.bytes !== expected.bytes) {
    throw new SharedError('MODEL_TAMPERED', `${path} has ${actual.bytes} bytes, its manifest says ${expected.bytes}.`)
  }
  if (actual.sha256 !== expected.sha256) {
    throw new SharedError('MODEL_TAMPERED', `${path} has another sha256 than its manifest says.`)
  }
}
