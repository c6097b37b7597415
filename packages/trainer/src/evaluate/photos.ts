import { readFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { FlowersError } from '@flowers/shared/errors'
import type { Canvas } from '@flowers/shared/image/canvas'
import { startDecoder } from '@flowers/shared/image/decode-threads'
import type { Preprocessing } from '@flowers/shared/image/preprocessing'
import { scalesOf, type View } from '@flowers/shared/image/view'
import { reasonOf } from '../console/system-error.ts'
import { mapAhead } from '../input/map-ahead.ts'

export interface DecodedPhoto<T> {
  readonly photo: T
  /** One for each scale of the views, in the order of `scalesOf`. */
  readonly canvases: readonly Canvas[]
}

export interface UnreadablePhoto<T> {
  readonly photo: T
  readonly canvases: null
  /** A sentence. */
  readonly reason: string
}

/**
 * Photos in their order through the preprocessing of the service, decoded in worker threads a few ahead, so that the
 * cores are busy while the network holds this thread. A photo that cannot be read is handed out with the reason. `read`
 * gets the bytes of a photo; the file at its path unless said.
 */
export async function* decodePhotos<T extends { readonly path: string }>(
  photos: Iterable<T>,
  preprocessing: Preprocessing,
  views: readonly View[],
  read: (photo: T) => Promise<Uint8Array> = ({ path }) => readFile(path),
): AsyncGenerator<DecodedPhoto<T> | UnreadablePhoto<T>, void> {
  const threads = availableParallelism()
  const decoder = startDecoder({ threads })
  const scales = scalesOf(views)
  const decode = async (photo: T): Promise<DecodedPhoto<T> | UnreadablePhoto<T>> => {
    try {
      const bytes = await read(photo)
      const { canvases } = await decoder.decodeViews(bytes, preprocessing, scales)
      return { photo, canvases }
    } catch (error) {
      if (error instanceof FlowersError && !error.code.startsWith('IMAGE_')) throw error
      return { photo, canvases: null, reason: reasonOf(error) }
    }
  }
  try {
    yield* mapAhead(photos, 2 * threads + 1, decode)
  } finally {
    await decoder.close()
  }
}
