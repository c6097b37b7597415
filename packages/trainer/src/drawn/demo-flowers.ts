import { drawFlowers, type DrawingOptions } from './drawn-flowers.ts'

/** The pictures of the demo recipe: all species, evenly, a little larger than the last phase needs for its crops. */
export async function demoFlowers(folder: string, options: DrawingOptions = {}): Promise<void> {
  await drawFlowers(folder, { train: 80, valid: 20, size: 104, seed: 1, ...options })
}
