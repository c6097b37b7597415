import type { ViewPolicy } from '@flowers/shared/model/views'
import type { FastifyRequest } from 'fastify'
import type { Classification } from '../engine/answers.ts'
import type { Classifier } from '../engine/classifier.ts'
import { untilOver } from '../http/deadline.ts'
import { tellStages, type Inference } from '../http/inference.ts'
import { Dropped } from '../errors.ts'
import { assertFinite } from './finite.ts'
import { misfit, type InferCall, type InputTensor, type OutputRequest } from './request.ts'
import { writeInferResponse, type InferAnswer, type OutputValues } from './response.ts'

/** An inference that was read, and the model that it asks. */
interface ModelRequest {
  readonly request: FastifyRequest
  readonly inference: Inference
  readonly classifier: Classifier
  readonly policy: ViewPolicy
}

type Of<Datatype> = Extract<InputTensor, { datatype: Datatype }>

/** An input that a request may have, and the output that it gives. */
interface Kernel<Datatype extends InputTensor['datatype']> {
  readonly datatype: Datatype
  readonly output: string
  readonly run: (asked: ModelRequest, input: Of<Datatype>) => Promise<Float32Array[]>
}

const kernels = {
  pixel_values: { datatype: 'FP32', output: 'logits', run: runPixels } satisfies Kernel<'FP32'>,
  image: { datatype: 'BYTES', output: 'probabilities', run: runImages } satisfies Kernel<'BYTES'>,
} as const

/**
 * Answers an inference with the outputs that it asks for.
 * Rejects with SERVICE_TENSOR when it does not fit the model, and as the classifier does.
 */
export async function inferTensors(asked: ModelRequest, call: InferCall): Promise<InferAnswer> {
  const { input } = call
  if (!Object.hasOwn(kernels, input.name)) {
    throw misfit(`There is no input ${JSON.stringify(input.name)}; there are: ${Object.keys(kernels).join(', ')}.`)
  }
  const { datatype, output, run } = kernels[input.name as keyof typeof kernels]
  if (input.datatype !== datatype) throw misfit(`The input ${input.name} is ${datatype}, not ${input.datatype}.`)
  const wanted = call.outputs?.length ? call.outputs : [plain(output, call.binaryOutput)]
  for (const [place, { name }] of wanted.entries()) {
    if (name !== output) throw misfit(`The input ${input.name} gives ${output}, not ${JSON.stringify(name)}.`)
    // Each would be written again: a small request for a large answer.
    if (place > 0) throw misfit(`The output ${output} is asked for twice.`)
  }
  const { name, version, labels } = asked.classifier.manifest
  // The datatype was compared above, which the compiler cannot relate to the kernel.
  const rows = await (run as Kernel<InputTensor['datatype']>['run'])(asked, input)
  const result: OutputValues = { name: output, shape: [rows.length, labels.length], values: join(rows, labels.length) }
  const head = {
    model_name: name,
    model_version: String(version),
    ...(call.id === undefined ? {} : { id: call.id }),
  }
  return writeInferResponse(
    head,
    wanted.map((request) => ({ request, result })),
    labels,
  )
}

function plain(name: string, binary: boolean): OutputRequest {
  return { name, classification: 0, binary }
}

/** One view for each row of normalised pixels, as it is: nothing is decoded, resized or merged. */
async function runPixels(
  { request, inference, classifier }: ModelRequest,
  { shape, data }: Of<'FP32'>,
): Promise<Float32Array[]> {
  const { size } = classifier.manifest.preprocessing
  const wanted = [3, size, size]
  const [rows = 0, ...rest] = shape
  if (rows < 1 || rest.length !== 3 || rest.some((length, axis) => length !== wanted[axis])) {
    throw misfit(`The shape of pixel_values is [N, ${wanted.join(', ')}], not [${shape.join(', ')}].`)
  }
  const length = 3 * size * size
  const views = Array.from({ length: rows }, (_, row) => data.subarray(row * length, (row + 1) * length))
  const logits = await untilOver(request, classifier.infer(views, inference.context(request)))
  assertFinite(logits, views, classifier.manifest.preprocessing)
  return logits
}

/** Calibrated probabilities of all classes for each image, merged over the views that the policy asks for. */
async function runImages(
  { request, inference, classifier, policy }: ModelRequest,
  { shape, data }: Of<'BYTES'>,
): Promise<Float32Array[]> {
  if (data.length === 0 || shape.length > 2 || (shape[1] ?? 1) !== 1) {
    throw misfit(`The shape of image is [N] or [N, 1], not [${shape.join(', ')}].`)
  }
  const topK = classifier.manifest.labels.length
  // The answer has no place to say that it stepped down.
  const question = { policy, mayStepDown: false, topK }
  const answers = await Promise.all(inference.classify(request, classifier, data, question)).catch((error: unknown) => {
    // All are answered or none: the others would be classified for nobody.
    request.work.abort(new Dropped())
    throw error
  })
  if (answers.length === 1) tellStages(request, answers[0]!.timings)
  return answers.map(probabilities)
}

function probabilities({ predictions }: Classification): Float32Array {
  const values = new Float32Array(predictions.length)
  for (const { index, score } of predictions) values[index] = score
  return values
}

function join(rows: readonly Float32Array[], length: number): Float32Array {
  const values = new Float32Array(rows.length * length)
  for (const [index, row] of rows.entries()) values.set(row, index * length)
  return values
}
