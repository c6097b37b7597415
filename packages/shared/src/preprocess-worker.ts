import { parentPort } from 'node:worker_threads'
import { FlowersError } from './errors.ts'
import { decodeViews } from './preprocess.ts'
import type { PreprocessReply, PreprocessTask } from './preprocessor.ts'

const port = parentPort
if (!port) throw new Error('preprocess-worker runs in a worker thread only.')

async function reply({ bytes, preprocessing, scales, limits }: PreprocessTask): Promise<PreprocessReply> {
  try {
    return { canvases: await decodeViews(bytes, preprocessing, scales, limits) }
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
