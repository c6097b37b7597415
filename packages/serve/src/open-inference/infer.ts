import type { ViewPolicy } from '@flowers/shared/model/views'
import type { FastifyRequest } from 'fastify'
import type { Classification } from '../engine/answers.ts'
import type { Classifier } from '../engine/classifier.ts'
import { untilOver } from '../http/deadline.ts'
import { tellStages, type Inference } from '../http/inference.ts'
import { Dropped } from '../errors.ts'
import { assertFinite } from './finite.ts'
import { knownOutput, mainOutputs, outputsOf, type InputName } from './outputs.ts'
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

/** Of each row or image: a value for every class, and whether it is known; null: the model does not tell. */
interface Results {
  readonly classes: Float32Array[]
  readonly known: number[] | null
}

/** An input that a request may have. */
interface Kernel<Datatype extends InputTensor['datatype']> {
  readonly datatype: Datatype
  readonly run: (asked: ModelRequest, input: Of<Datatype>) => Promise<Results>
}

const kernels = {
  pixel_values: { datatype: 'FP32', run: runPixels } satisfies Kernel<'FP32'>,
  image: { datatype: 'BYTES', run: runImages } satisfies Kernel<'BYTES'>,
} as const satisfies Record<InputName, unknown>

/**
 * Answers an inference with the outputs that it asks for.
 * Rejects with SERVICE_TENSOR when it does not fit the model, and as the classifier does.
 */
export async function inferTensors(asked: ModelRequest, call: InferCall): Promise<InferAnswer> {
  const { input } = call
  if (!Object.hasOwn(kernels, input.name)) {
    throw misfit(`There is no input ${JSON.stringify(input.name)}; there are: ${Object.keys(kernels).join(', ')}.`)
  }
  const inputName = input.name as InputName
  const { datatype, run } = kernels[inputName]
  if (input.datatype !== datatype) throw misfit(`The input ${inputName} is ${datatype}, not ${input.datatype}.`)
  const { name, version, labels, calibration } = asked.classifier.manifest
  const given = outputsOf(inputName, calibration)
  const wanted = call.outputs?.length ? call.outputs : given.map((output) => plain(output, call.binaryOutput))
  assertGiven(wanted, inputName, given)
  // The datatype was compared above, which the compiler cannot relate to the kernel.
  const { classes, known } = await (run as Kernel<InputTensor['datatype']>['run'])(asked, input)
  const results: Readonly<Record<string, OutputValues>> = {
    [mainOutputs[inputName]]: { shape: [classes.length, labels.length], values: join(classes, labels.length) },
    ...(known && { [knownOutput]: { shape: [known.length], values: Float32Array.from(known) } }),
  }
  const head = {
    model_name: name,
    model_version: String(version),
    ...(call.id === undefined ? {} : { id: call.id }),
  }
  return writeInferResponse(
    head,
    wanted.map((request) => ({ request, result: results[request.name]! })),
    labels,
  )
}

/** Throws SERVICE_TENSOR for an output that the input does not give, or not in that way, or that is asked for twice. */
function assertGiven(wanted: readonly OutputRequest[], input: InputName, given: readonly string[]): void {
  for (const [place, { name, classification }] of wanted.entries()) {
    if (!given.includes(name))
      throw misfit(`The input ${input} gives ${given.join(' and ')}, not ${JSON.stringify(name)}.`)
    // Each would be written again: a small request for a large answer.
    if (wanted.findIndex((each) => each.name === name) < place) throw misfit(`The output ${name} is asked for twice.`)
    if (name === knownOutput && classification > 0) throw misfit(`The output ${knownOutput} has no classes.`)
  }
}

function plain(name: string, binary: boolean): OutputRequest {
  return { name, classification: 0, binary }
}

/** One view for each row of normalised pixels, as it is: nothing is decoded, resized or merged. */
async function runPixels(
  { request, inference, classifier }: ModelRequest,
  { shape, data }: Of<'FP32'>,
): Promise<Results> {
  const { size } = classifier.manifest.preprocessing
  const wanted = [3, size, size]
  const [rows = 0, ...rest] = shape
  if (rows < 1 || rest.length !== 3 || rest.some((length, axis) => length !== wanted[axis])) {
    throw misfit(`The shape of pixel_values is [N, ${wanted.join(', ')}], not [${shape.join(', ')}].`)
  }
  const length = 3 * size * size
  const views = Array.from({ length: rows }, (_, row) => data.subarray(row * length, (row + 1) * length))
  const { logits, known } = await untilOver(request, classifier.infer(views, inference.context(request)))
  const values = logits.map((row, index) => (known ? [...row, known[index]!] : row))
  assertFinite(values, views, classifier.manifest.preprocessing)
  return { classes: logits, known }
}

/** Probabilities of all classes for each image, calibrated and merged over the views that the policy asks for. */
async function runImages(
  { request, inference, classifier, policy }: ModelRequest,
  { shape, data }: Of<'BYTES'>,
): Promise<Results> {
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
  const tells = classifier.manifest.calibration.known?.isCalibrated ?? false
  return { classes: answers.map(probabilities), known: tells ? answers.map(({ known }) => known!) : null }
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
