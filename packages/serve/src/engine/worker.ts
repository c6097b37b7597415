import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { constants, platform, setPriority } from 'node:os'
import { parentPort, workerData } from 'node:worker_threads'
import { toTensor } from '@flowers/shared/image/canvas'
import { FlowersError, SharedError } from '@flowers/shared/errors'
import { assertAsListed } from '@flowers/shared/model/listed-file'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import type {
  BatchSeconds,
  ClassMaps,
  CloseMessage,
  RunMessage,
  ViewInput,
  WorkerMessage,
  WorkerSettings,
} from './messages.ts'

/**
 * A worker thread that owns one ONNX session. `run()` of onnxruntime-node blocks the thread that calls it, so it is
 * never called on the thread that answers HTTP.
 */
const settings = workerData as WorkerSettings
const { size } = settings.preprocessing
const inputs = new Map<number, Float32Array>()

/** The content of the file, when it is the one that the manifest names. Rejects with MODEL_TAMPERED. */
async function readNetwork(): Promise<Uint8Array> {
  const { network, bytes, sha256 } = settings
  const content = await readFile(network).catch((error: unknown) => {
    throw new SharedError('MODEL_TAMPERED', `${network} cannot be read: ${String(error)}.`, { cause: error })
  })
  const actual = { bytes: content.length, sha256: createHash('sha256').update(content).digest('hex') }
  assertAsListed(network, actual, { bytes, sha256 })
  return content
}

/** From the bytes that were compared: a path would be read once more, and may hold others by then. */
async function openSession(): Promise<InferenceSession> {
  const session = await InferenceSession.create(await readNetwork(), {
    executionProviders: ['cpu'],
    intraOpNumThreads: settings.threads,
    interOpNumThreads: 1,
    // A waiting thread that spins takes the core from those that decode and answer.
    extra: { session: { intra_op: { allow_spinning: '0' }, inter_op: { allow_spinning: '0' } } },
  })
  if (settings.needsKnown && !session.outputNames.includes(knownName))
    throw new Error(`it has no output "${knownName}", by which its manifest refuses pictures.`)
  return session
}

/** The output that the exporter adds where the network's end allows it. */
const mapsName = 'class_maps'

/** The output that tells pictures of the classes from others. */
const knownName = 'known'

interface Outcome {
  readonly logits: Float32Array
  readonly maps: ClassMaps[] | null
  readonly known: Float32Array | null
  readonly seconds: number
  readonly prepareSeconds: number
}

async function run(session: InferenceSession, views: readonly ViewInput[]): Promise<Outcome> {
  const started = performance.now()
  const values = 3 * size * size
  const input = inputs.get(views.length) ?? new Float32Array(views.length * values)
  inputs.set(views.length, input)
  for (const [index, view] of views.entries()) {
    if ('values' in view) input.set(view.values, index * values)
    else
      toTensor({ pixels: new Uint8Array(view.pixels), size }, view.flip, settings.preprocessing, input, index * values)
  }
  const prepareSeconds = (performance.now() - started) / 1000
  const tensor = new Tensor('float32', input, [views.length, 3, size, size])
  const withMaps = views.some((view) => 'maps' in view && view.maps)
  const withKnown = views.some(({ known }) => known)
  const wanted = ['logits', ...(withMaps ? [mapsName] : []), ...(withKnown ? [knownName] : [])]
  const outputs = await session.run({ pixel_values: tensor }, wanted)
  const { logits } = outputs
  if (!(logits?.data instanceof Float32Array) || logits.data.length !== views.length * settings.classes) {
    throw new Error(
      `logits of ${views.length} views are ${logits?.type} ${logits?.dims.join(' x ')}, not float32 ${views.length} x ${settings.classes}`,
    )
  }
  const maps = withMaps ? readMaps(outputs[mapsName], views.length) : null
  const known = withKnown ? readKnown(outputs[knownName], views.length) : null
  return { logits: logits.data, maps, known, seconds: (performance.now() - started) / 1000, prepareSeconds }
}

function readMaps(tensor: Tensor | undefined, views: number): ClassMaps[] {
  const [count, classes, height = 0, width = 0] = tensor?.dims ?? []
  const values = tensor?.data
  if (!(values instanceof Float32Array) || count !== views || classes !== settings.classes) {
    throw new Error(`${mapsName} of ${views} views is ${tensor?.type} ${tensor?.dims.join(' x ')}`)
  }
  const size = classes * height * width
  return Array.from({ length: views }, (_, view) => ({
    values: values.subarray(view * size, (view + 1) * size),
    height,
    width,
  }))
}

/** N or N x 1 values. */
function readKnown(tensor: Tensor | undefined, views: number): Float32Array {
  const values = tensor?.data
  if (values instanceof Float32Array && values.length === views) return values
  throw new Error(`${knownName} of ${views} views is ${tensor?.type} ${tensor?.dims.join(' x ')}, not float32 ${views}`)
}

/** Runs every batch size once cold, then measured. */
async function warmUp(session: InferenceSession): Promise<BatchSeconds> {
  const pixels = new SharedArrayBuffer(size * size * 3)
  const blank: ViewInput = { pixels, flip: 'none', known: settings.needsKnown }
  const { batches, times, slowViewSeconds } = settings.warmUp
  const seconds: Record<number, number> = {}
  for (const batch of batches) {
    const views = Array.from({ length: batch }, () => blank)
    await run(session, views)
    const taken: number[] = []
    while (taken.length < times) taken.push((await run(session, views)).seconds)
    taken.sort((a, b) => a - b)
    seconds[batch] = taken[(times - 1) / 2]!
    if (taken[0]! / batch > slowViewSeconds) break
  }
  return seconds
}

function post(message: WorkerMessage): void {
  parentPort!.postMessage(message)
}

async function answer(session: InferenceSession, message: RunMessage): Promise<void> {
  try {
    post({ kind: 'logits', run: message.run, ...(await run(session, message.views)) })
  } catch (error) {
    post({ kind: 'failed', run: message.run, reason: String(error) })
  }
}

/**
 * Below the thread that answers HTTP: probes and refusals wait for no view. On Linux a priority is that of the calling
 * thread, and the session's own threads take it over; elsewhere it would be that of the process.
 */
function giveWay(): void {
  if (platform() === 'linux') setPriority(constants.priority.PRIORITY_BELOW_NORMAL)
}

try {
  if (!settings.keepPriority) giveWay()
  const session = await openSession()
  const seconds = await warmUp(session)
  let running = Promise.resolve()
  parentPort!.on('message', (message: RunMessage | CloseMessage) => {
    // A closed port lets the thread come to its end.
    running = 'close' in message ? running.then(() => parentPort!.close()) : answer(session, message)
  })
  post({ kind: 'warm', seconds, explains: session.outputNames.includes(mapsName) })
} catch (error) {
  const isTampered = error instanceof FlowersError && error.code === 'MODEL_TAMPERED'
  const reason = error instanceof Error ? error.message : String(error)
  post({ kind: 'unusable', code: isTampered ? 'MODEL_TAMPERED' : 'MODEL_OUTPUT', reason })
}
