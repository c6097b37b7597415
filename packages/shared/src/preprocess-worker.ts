import { parentPort } from 'node:worker_threads'
import { FlowersError } from './errors.ts'
import { decodeImage } from './image.ts'
import { centerCanvas } from './preprocess.ts'
import type { PreprocessReply, PreprocessTask } from './preprocessor.ts'

const port = parentPort
if (!port) throw new Error('preprocess-worker runs in a worker thread only.')

async function reply({ bytes, preprocessing, scales, limits }: PreprocessTask): Promise<PreprocessReply> {
  try {
    const image = await decodeImage(bytes, limits)
    const decoded = performance.now()
    const canvases = scales.map((scale) => centerCanvas(image, preprocessing, scale))
    return { canvases, resizeSeconds: (performance.now() - decoded) / 1000 }
  } catch (error) {
    if (error instanceof FlowersError) return { code: error.code, detail: error.message }
    return { code: 'INTERNAL', detail: String(error) }
  }
}

port.on('message', (task: PreprocessTask) => {
  void reply(task).then((message) => {
    const buffers = 'canvases' in message ? message.canvases.map(({ pixels }) => pixels.buffer as ArrayBuffer) : []
    port.postMessage(message, buffers)
  })
})
