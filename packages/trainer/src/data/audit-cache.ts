import { mkdir, readFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { writeFileAtomic } from '@flowers/shared/files'
import { z } from 'zod'

const schema = z.object({
  /** Counts up when an audit looks for more than the one before. */
  version: z.literal(1),
  /** Content hash to width and height, of photos that decoded without a complaint. */
  sound: z.record(z.string(), z.tuple([z.int().positive(), z.int().positive()])),
})

export type SoundPhotos = Map<string, readonly [width: number, height: number]>

/** Photos an earlier audit found sound, by content hash. A file that is missing or not of this kind is none. */
export async function readSoundPhotos(path: string): Promise<SoundPhotos> {
  try {
    const { sound } = schema.parse(JSON.parse(await readFile(path, 'utf8')))
    return new Map(Object.entries(sound))
  } catch {
    return new Map()
  }
}

export async function writeSoundPhotos(path: string, sound: SoundPhotos): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  await writeFileAtomic(path, JSON.stringify({ version: 1, sound: Object.fromEntries(sound) }))
}
