import type { PhotoFacts } from '../plan/plan-quick.ts'
import type { Speed } from '../plan/cost.ts'

/** Twelve classes of 25 photos of a telephone. */
export const telephonePhotos: PhotoFacts = { counts: new Array<number>(12).fill(25), valid: 60, shortSide: 1500 }

/** A machine that trains 25 photos a second, and reads 100. */
export const testSpeed: Speed = {
  size: 224,
  decodeSeconds: 0.01,
  trainSeconds: 0.04,
  forwardSeconds: 0.015,
  startSeconds: 5,
  saveSeconds: 0.2,
  bytesPerPhoto: 100 * 2 ** 20,
}
