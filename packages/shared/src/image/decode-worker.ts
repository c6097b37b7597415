import { parentPort } from 'node:worker_threads'
import { SharedError } from '../errors.ts'
import { openImage, tooSlow } from './decode.ts'
import { centerCanvas } from './preprocess.ts'
import type { DecodeReply, DecodeTask } from './decode-threads.ts'

const port = parentPort
if (!port) throw new Error('decode-worker runs in a worker thread only.')

/** A picture of more bytes is decoded while no other such one is: photos of 16 megapixels, or others of fewer. */
const largeBytes = 48e6

async function reply(task: DecodeTask): Promise<DecodeReply> {
  const { bytes, preprocessing, scales, limits, mayBeLarge, abandoned } = task
  try {
    const started = performance.now()
    const opened = await openImage(bytes, limits)
    if (opened.pixelBytes > largeBytes && !mayBeLarge) return 'large'
    const goOn = (): void => {
      if (performance.now() - started > (limits?.seconds ?? Infinity) * 1000) throw tooSlow()
      if (abandoned[0] === 1) throw new SharedError('INTERNAL', 'Nobody waits for the picture any more.')
    }
    goOn()
    const image = await opened.decode()
    const decoded = performance.now()
    const canvases = scales.map((scale) => {
      goOn()
      const pixels = new Uint8Array(new SharedArrayBuffer(3 * preprocessing.size ** 2))
      centerCanvas(image, preprocessing, scale, pixels)
      return { pixels, size: preprocessing.size }
    })
    return { canvases, resizeSeconds: (performance.now() - decoded) / 1000 }
  } catch (error) {
    if (error instanceof SharedError) return { code: error.code, detail: error.message }
    return { code: 'INTERNAL', detail: String(error) }
  }
}

port.postMessage('ready' satisfies DecodeReply)
port.on('message', (task: DecodeTask) => void reply(task).then((message) => port.postMessage(message)))
