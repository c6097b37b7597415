import { SharedError, type FlowersError } from '@flowers/shared/errors'
import type { Manifest } from '@flowers/shared/model/manifest'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { z } from 'zod'
import type { Engine } from '../engine/models.ts'
import { inferTensors } from './infer.ts'
import { knownOutput, outputsOf } from './outputs.ts'
import { bytesOf, misfit, readInferRequest, type InferCall } from './request.ts'
import { unpackerOf } from './unpack.ts'
import type { Content, Operation } from '../http/openapi/operation.ts'
import { Inference, inferenceErrors, type InferenceOptions } from '../http/inference.ts'
import { readBody } from '../http/upload.ts'
import { routePlugin } from '../http/route-plugin.ts'
import * as schemas from '../http/schemas.ts'
import { retryLater, ServiceError, type ProblemCode } from '../errors.ts'

/** What the service has of Triton's extensions. */
const extensions = ['binary_tensor_data', 'classification', 'model_repository']

/** The most bytes of a body that is no inference. */
const smallBody = { bytes: 64 * 1024, memory: null }

interface OfModel {
  Params: { name: string; version?: string }
}

interface ProtocolOptions extends InferenceOptions {
  readonly version: string
}

/** The Open Inference Protocol v2 over REST, below `/v2`: health, metadata, repository, inference. */
export const protocolRoutes = routePlugin('open-inference', addProtocol)

async function addProtocol(app: FastifyInstance, options: ProtocolOptions): Promise<void> {
  // Bodies are read where they are used: JSON with bytes after it is no JSON.
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', (_request: FastifyRequest, _payload, done) => done(null))
  serverRoutes(app, options)
  modelRoutes(app, options)
  repositoryRoutes(app, options)
  await app.register(inferRoutes, options)
}

function serverRoutes(app: FastifyInstance, { engine, version }: ProtocolOptions): void {
  const probe = { probe: true, access: 'open' } as const
  app.get(
    '/v2',
    { config: { operation: describe('serverMetadata', 'What the server is', schemas.serverMetadata) } },
    () => ({ name: 'flowers', version, extensions }),
  )
  app.get(
    '/v2/health/live',
    { config: { ...probe, operation: describe('serverLive', 'Whether the server answers', schemas.serverLive) } },
    () => ({ live: true }),
  )
  const ready = describe('serverReady', 'Whether the default model is ready', schemas.serverReady, [
    'SERVICE_NOT_READY',
  ])
  app.get('/v2/health/ready', { config: { ...probe, operation: ready } }, () => {
    if (!engine.ready) throw retryLater('SERVICE_NOT_READY', 'The server is not ready.', 1)
    return { ready: true }
  })
}

const modelErrors = ['MODEL_MISSING', 'MODEL_UNLOADED', 'SERVICE_NOT_READY'] as const

function modelRoutes(app: FastifyInstance, { engine }: ProtocolOptions): void {
  const metadata = describe('modelMetadata', 'Inputs and outputs of a model', schemas.modelMetadata, modelErrors)
  const ready = describe('modelReady', 'Whether a model is loaded and warm', schemas.modelReady, modelErrors)
  for (const path of ofModel('')) {
    app.get<OfModel>(path, { config: { operation: metadata } }, async ({ params }) =>
      metadataOf(await manifestOf(engine, params)),
    )
  }
  for (const path of ofModel('/ready')) {
    app.get<OfModel>(path, { config: { operation: ready } }, async ({ params: { name, version } }) => {
      const entries = (await engine.repository()).filter((entry) => entry.name === name)
      const entry =
        version === undefined
          ? (entries.find(({ reason }) => reason === null) ?? entries.at(-1))
          : entries.find((each) => String(each.version) === version)
      if (!entry) throw missing(name, version)
      if (entry.retrySeconds !== null) {
        throw retryLater('SERVICE_NOT_READY', `The model ${name}: ${entry.reason}.`, entry.retrySeconds)
      }
      // The protocol has a 4xx for "not ready".
      if (entry.reason !== null) throw new ServiceError('MODEL_UNLOADED', `The model ${name}: ${entry.reason}.`)
      return { name, ready: true }
    })
  }
}

function repositoryRoutes(app: FastifyInstance, { engine }: ProtocolOptions): void {
  const body = { required: false, content: { 'application/json': schemas.indexRequest } }
  const index = describe('repositoryIndex', 'Models and versions that there are', schemas.repositoryIndex, [
    'SERVICE_MALFORMED',
    'SERVICE_TOO_LARGE',
  ])
  app.post('/v2/repository/index', { config: { operation: { ...index, body } } }, async (request) => {
    const { ready = false } = await readJson(request, schemas.indexRequest)
    const entries = await engine.repository()
    return entries
      .filter(({ reason }) => !ready || reason === null)
      .map(({ name, version, reason }) => ({
        name,
        version: String(version),
        state: reason === null ? 'READY' : 'UNAVAILABLE',
        reason: reason ?? '',
      }))
  })

  const commands = [
    { path: 'load', summary: 'Loads and warms a model', run: (name: string) => engine.loadModel(name), errors: [] },
    {
      path: 'unload',
      summary: 'Frees a model after its last answer',
      run: (name: string) => engine.unloadModel(name),
      errors: ['MODEL_IN_USE'],
    },
  ] as const
  for (const { path, summary, run, errors } of commands) {
    const operation = {
      ...describe(`${path}Model`, summary, schemas.emptyAnswer, [
        'SERVICE_MALFORMED',
        'MODEL_MISSING',
        'SERVICE_TOO_LARGE',
        'SERVICE_NOT_READY',
        ...errors,
      ]),
      body: { required: false, content: { 'application/json': schemas.repositoryRequest } },
    }
    app.post<OfModel>(
      `/v2/repository/models/:name/${path}`,
      { config: { access: 'admin', operation } },
      async (request) => {
        await readJson(request, schemas.repositoryRequest)
        await run(request.params.name)
        request.log.info({ model: request.params.name }, `administration: ${path}`)
        return {}
      },
    )
  }
}

const tensors: Content = 'binary'

const inferOperation: Operation = {
  ...describe('infer', 'Runs a model', schemas.inferResponse, [
    'SERVICE_TENSOR',
    'SERVICE_PARAMETER',
    ...inferenceErrors,
  ]),
  about:
    'Tensors are JSON, or bytes after the JSON (binary_data_size of an input, binary_data of an output). The input pixel_values gives logits; the input image, the bytes of image files, gives calibrated probabilities.',
  headers: ['X-Request-Timeout-Ms', 'Inference-Header-Content-Length'],
  body: {
    required: true,
    content: { 'application/json': schemas.inferRequest, 'application/octet-stream': tensors },
  },
  answer: { 'application/json': schemas.inferResponse, 'application/octet-stream': tensors },
}

async function inferRoutes(app: FastifyInstance, options: ProtocolOptions): Promise<void> {
  const { uploads, config } = options
  const inference = new Inference(options, config.imagesLimit)
  const { limits } = inference
  const jsonBytesLimit = config.jsonLimitMb * 1e6
  await inference.install(app, ({ headers }) => {
    // A full queue is told first, whatever the body is.
    inference.assertRoom()
    const type = headers['content-type'] ?? ''
    if (!/^multipart\//i.test(type)) return
    throw new ServiceError('SERVICE_MEDIA_TYPE', `The body has the type ${type}, not JSON.`)
  })

  const readCall = async (request: FastifyRequest): Promise<InferCall> => {
    const jsonBytes = readJsonBytes(request)
    const unpack = unpackerOf(request.headers['content-encoding'])
    const hold = (bytes: number): void => uploads.hold(request, bytes)
    const { signal } = request.work
    const body = await unpack(await readBody(request, limits), { bytes: limits.bytes, hold, signal })
    if ((jsonBytes ?? body.length) > jsonBytesLimit) throw tooMuchJson(config.jsonLimitMb)
    const call = readInferRequest(body, jsonBytes, { images: limits.images, hold })
    // Of the body nothing is held any more but what became a tensor.
    uploads.keep(request, bytesOf(call))
    return call
  }
  const infer = async (request: FastifyRequest<OfModel>, reply: FastifyReply): Promise<FastifyReply> => {
    const call = await readCall(request)
    const { name, version } = request.params
    const classifier = await inference.model(request, name)
    assertVersion(classifier.manifest, name, version)
    const policy = inference.policy(classifier, call.tta)
    const answer = await inferTensors({ request, inference, classifier, policy }, call)
    if (answer.jsonBytes === null) void reply.type('application/json; charset=utf-8')
    else void reply.type('application/octet-stream').header('inference-header-content-length', answer.jsonBytes)
    return reply.send(answer.body)
  }
  for (const path of ofModel('/infer')) app.post<OfModel>(path, { config: { operation: inferOperation } }, infer)
}

/** The paths of a model with and without a version. */
function ofModel(rest: string): string[] {
  return [`/v2/models/:name${rest}`, `/v2/models/:name/versions/:version${rest}`]
}

/** What a model is like that serves the version which the path names; loads nothing. */
async function manifestOf(engine: Engine, { name, version }: OfModel['Params']): Promise<Manifest> {
  const manifest = await engine.manifest(name)
  assertVersion(manifest, name, version)
  return manifest
}

function assertVersion(manifest: Manifest, name: string, version: string | undefined): void {
  if (version !== undefined && version !== String(manifest.version)) throw missing(name, version)
}

function missing(name: string, version: string | undefined): FlowersError {
  const what = `the model ${JSON.stringify(name)}`
  return new SharedError(
    'MODEL_MISSING',
    version === undefined ? `There is no ${what.slice(4)}.` : `The version ${version} of ${what} does not serve.`,
  )
}

function metadataOf(manifest: Manifest): z.output<typeof schemas.modelMetadata> {
  const { name, version, labels, preprocessing, calibration } = manifest
  const { size } = preprocessing
  const outputs = new Set([...outputsOf('pixel_values', calibration), ...outputsOf('image', calibration)])
  return {
    name,
    versions: [String(version)],
    platform: 'onnx_onnxv1',
    inputs: [
      { name: 'pixel_values', datatype: 'FP32', shape: [-1, 3, size, size] },
      { name: 'image', datatype: 'BYTES', shape: [-1] },
    ],
    outputs: ['logits', 'probabilities', knownOutput]
      .filter((output) => outputs.has(output))
      .map((output) => ({
        name: output,
        datatype: 'FP32',
        shape: output === knownOutput ? [-1] : [-1, labels.length],
      })),
  }
}

/** JSON is read on the thread that answers everyone. */
function tooMuchJson(megabytes: number): FlowersError {
  return new ServiceError(
    'SERVICE_TOO_LARGE',
    `The JSON of a request may have ${megabytes} MB; send tensors and images as bytes after it (binary_data_size).`,
  )
}

/** Bytes of JSON at the start of the body; null: all of them, 0: none. A body of type image/* is an image. */
function readJsonBytes({ headers }: FastifyRequest): number | null {
  const header = headers['inference-header-content-length']
  if (header === undefined) return headers['content-type']?.startsWith('image/') ? 0 : null
  if (typeof header === 'string' && /^\d{1,9}$/.test(header)) return Number(header)
  throw misfit(`Inference-Header-Content-Length must be a number of bytes, not ${JSON.stringify(header)}.`)
}

/** A small body of JSON; one that is empty counts as {}. */
async function readJson<T extends z.ZodType>(request: FastifyRequest, schema: T): Promise<z.output<T>> {
  const text = (await readBody(request, smallBody)).toString('utf8')
  let value: unknown
  try {
    value = JSON.parse(text || '{}')
  } catch (error) {
    throw new ServiceError('SERVICE_MALFORMED', 'The body is not JSON.', { cause: error })
  }
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const { path, message } = parsed.error.issues[0]!
  throw new ServiceError('SERVICE_MALFORMED', `${path.join('.') || 'The body'}: ${message}.`)
}

function describe(id: string, summary: string, answer: z.ZodType, errors: readonly ProblemCode[] = []): Operation {
  return { id, tag: 'Open Inference Protocol', summary, answer: { 'application/json': answer }, errors }
}
