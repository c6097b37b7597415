import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import sharp from 'sharp'
import { Random } from '@flowers/shared/random'

/** For tests: a JPEG of smooth colour fields, different for every seed. */
export async function testPhoto(seed: number, width = 40, height = 32): Promise<Buffer> {
  const random = new Random(seed, 'scene')
  const data = Uint8Array.from({ length: 4 * 4 * 3 }, () => random.integer(256))
  return sharp(data, { raw: { width: 4, height: 4, channels: 3 } })
    .resize(width, height, { fit: 'fill', kernel: 'cubic' })
    .jpeg({ quality: 92 })
    .toBuffer()
}

/** For tests: a temporary folder with these files, paths relative to it; call `remove` when done. */
export async function testFolder(files: Readonly<Record<string, string | Uint8Array>>): Promise<{
  path: string
  write: (name: string, content: string | Uint8Array) => Promise<void>
  remove: () => Promise<void>
}> {
  const path = await mkdtemp(join(tmpdir(), 'flowers-data-'))
  const write = async (name: string, content: string | Uint8Array): Promise<void> => {
    await mkdir(dirname(join(path, name)), { recursive: true })
    await writeFile(join(path, name), content)
  }
  for (const [name, content] of Object.entries(files)) await write(name, content)
  return { path, write, remove: () => rm(path, { recursive: true, force: true }) }
}
