import { randomUUID } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { withTemporary } from '@flowers/shared/files'
import pLimit from 'p-limit'
import { developPhoto } from './develop.ts'
import { flowerPicture } from './flower-picture.ts'
import { scenePicture, scenes, type Scene } from './scene-picture.ts'
import { species as allSpecies } from './species.ts'
import { Random } from '@flowers/shared/random'
import { TrainerError } from '../errors.ts'

export interface DrawnFlowersOptions {
  /** How many species, the first of the table; 12 to 16, all unless said. */
  readonly species?: number
  /** Pictures of a species to train on: of the first, where there is a long tail. */
  readonly train: number
  /** Pictures of a species to validate on. */
  readonly valid: number
  /** Side in pixels. */
  readonly size: number
  readonly seed: number
  /** Training pictures of the last species over those of the first, in (0, 1]; in between they fall off geometrically. 1 unless said. */
  readonly tail?: number
}

/** How drawing is followed and stopped. */
export interface DrawingOptions {
  readonly onProgress?: (done: number, total: number) => void
  /** Abort to stop between two pictures; its reason is what the promise rejects with. Nothing is left then. */
  readonly signal?: AbortSignal
}

/** Counts up when the same options give other pictures. */
const drawingVersion = 1
const stampName = '.drawn.json'

export const drawnSpecies: readonly string[] = allSpecies.map(({ name }) => name)

/** One picture of a species as a JPEG; `index` tells the pictures of a seed apart. */
export async function drawFlower(options: {
  species: string
  size: number
  seed: number
  index: number
}): Promise<Buffer> {
  const number = allSpecies.findIndex(({ name }) => name === options.species)
  const kind = allSpecies[number]
  if (!kind) throw new RangeError(`"${options.species}" is none of ${drawnSpecies.join(', ')}`)
  const random = new Random(options.seed, 'drawing', number + 1, options.index)
  return developPhoto(flowerPicture(kind, random, options.size), random)
}

export const drawnScenes = Object.keys(scenes) as readonly Scene[]

/**
 * A picture without a flower as a JPEG, for what a model shall abstain from: things, textures, landscapes, leaves.
 * The seed chooses the scene unless it is named.
 */
export async function drawScene(seed: number, options: { size?: number; scene?: Scene } = {}): Promise<Buffer> {
  const random = new Random(seed, 'scene')
  const drawn = random.pick(drawnScenes)
  return developPhoto(scenePicture(options.scene ?? drawn, random, options.size ?? 96), random)
}

/**
 * Draws a dataset of flowers: `train/` and `valid/`, a numbered folder a species. The same options give the same
 * bytes. A folder that already holds them is left as it is, one with other drawn flowers is replaced; a folder with
 * anything else in it throws USAGE. The folder appears whole or not at all.
 */
export async function drawFlowers(folder: string, options: DrawnFlowersOptions & DrawingOptions): Promise<void> {
  const { onProgress, signal, ...drawn } = options
  const { species: total = allSpecies.length, train, valid, size, seed, tail = 1 } = drawn
  if (total > allSpecies.length) throw new RangeError(`there are ${allSpecies.length} species to draw, not ${total}`)
  const target = resolve(folder)
  const stamp = JSON.stringify({ version: drawingVersion, species: total, train, valid, size, seed, tail })
  if ((await stampOf(target)) === stamp) return

  const jobs: { path: string; species: string; index: number }[] = []
  allSpecies.slice(0, total).forEach(({ name }, number) => {
    const place = join(`${String(number + 1).padStart(2, '0')}-${name}`)
    const trained = tailCount(train, tail, number, total)
    // Validation pictures come first in the numbering: they stay the same when more are drawn to train on.
    for (let index = 0; index < valid + trained; index++) {
      const [split, at] = index < valid ? ['valid', index] : ['train', index - valid]
      jobs.push({ path: join(split, place, `${String(at + 1).padStart(4, '0')}.jpg`), species: name, index })
    }
  })

  await withTemporary(`${target}.${randomUUID()}.tmp`, async (temporary) => {
    for (const parent of new Set(jobs.map(({ path }) => dirname(path))))
      mkdirSync(join(temporary, parent), { recursive: true })
    const limit = pLimit(2 * availableParallelism())
    let done = 0
    await limit.map(jobs, async ({ path, species, index }) => {
      // Not thrown here: what is being written has to end before it is removed.
      if (signal?.aborted) return
      await writeFile(join(temporary, path), await drawFlower({ species, size, seed, index }))
      onProgress?.(++done, jobs.length)
    })
    signal?.throwIfAborted()
    await writeFile(join(temporary, stampName), stamp)
    // Another process drew the same meanwhile, and may be reading them.
    if ((await stampOf(target)) === stamp) return
    await rm(target, { recursive: true, force: true })
    await rename(temporary, target)
  })
}

/** Pictures of the `number`-th of `total` species under a geometric long tail; at least one. */
export function tailCount(most: number, tail: number, number: number, total: number): number {
  return Math.max(1, Math.round(most * tail ** (total === 1 ? 0 : number / (total - 1))))
}

/** The stamp of drawn flowers; undefined where there is nothing. Throws USAGE where there is something else. */
async function stampOf(folder: string): Promise<string | undefined> {
  try {
    return await readFile(join(folder, stampName), 'utf8')
  } catch {
    const names = await readdir(folder).catch(() => [])
    if (names.length === 0) return undefined
    throw new TrainerError(
      'USAGE',
      `"${folder}" is not empty and holds no drawn flowers; they need a folder of their own.`,
    )
  }
}
