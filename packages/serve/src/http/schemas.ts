import { problems, type ProblemCode } from '../errors.ts'
import { levels } from '@flowers/shared/model/calibration'
import { viewPolicies } from '@flowers/shared/model/views'
import { viewSchema } from '@flowers/shared/image/view'
import { z } from 'zod'

/** What goes in and out over HTTP. Every schema that is named here is a component of the OpenAPI document. */
export const components = z.registry<{ id: string }>()

function component<T extends z.ZodType>(id: string, schema: T): T {
  components.add(schema, { id })
  return schema
}

const milliseconds = z.number().nonnegative()

const policy = z.enum(viewPolicies)

/** Query of `POST /classify`. */
export const classifyQuery = z.strictObject({
  model: z.string().min(1).optional().describe('Name of the model; without it the default.'),
  tta: policy.optional().describe('Views of the image that are asked; without it the policy of the service.'),
  top_k: z
    .preprocess(
      (text) => (typeof text === 'string' && /^\d{1,4}$/.test(text) ? Number(text) : text),
      z.number().int().min(1).max(9999),
    )
    .default(5)
    .describe('Predictions that are answered, at most.'),
  allow_step_down: z
    .preprocess((text) => (text === 'true' ? true : text === 'false' ? false : text), z.boolean().optional())
    .describe(
      'Whether fewer views may be asked when the answer would be too late, or others wait; views.policy says what was. Without it only where tta is not given.',
    ),
  details: z
    .preprocess((text) => ({ true: true, false: false })[String(text)] ?? text, z.boolean())
    .default(false)
    .describe('Also tell what each view said.'),
})

/** Query of `POST /explain`. */
export const explainQuery = z.strictObject({
  model: z.string().min(1).optional().describe('Name of the model; without it the default.'),
  label: z
    .preprocess((labels) => [labels].flat(), z.array(z.string().min(1)).max(100))
    .default([])
    .describe('Class to explain, once or several times; without it the best.'),
})

const prediction = component(
  'Prediction',
  z.strictObject({
    label: z.string(),
    index: z.number().int().min(0).describe('Index of the class in the output of the model.'),
    score: z.number().min(0).max(1).describe('Probability of the class; calibrated where the answer says so.'),
  }),
)

const modelVersion = z.strictObject({ name: z.string(), version: z.number().int().min(1) })

const timings = z
  .strictObject({ decode: milliseconds, queue: milliseconds, infer: milliseconds, total: milliseconds })
  .describe('Milliseconds; total runs from the headers of the request.')

const viewAnswer = component(
  'ViewAnswer',
  viewSchema.extend({ ...prediction.shape, score: z.number().min(0).max(1) }).describe('What one view said.'),
)

/** The answer to one image. */
export const classifyAnswer = component(
  'ClassifyAnswer',
  z.strictObject({
    model: modelVersion,
    predictions: z.array(prediction).describe('Best first.'),
    calibrated: z
      .boolean()
      .describe(
        'Whether scores are calibrated: of pictures of the classes that are answered with 0.9, nine in ten are right. False: the model had too few photos to fit and measure that.',
      ),
    set: z
      .array(z.string())
      .nullable()
      .describe(
        'Conformal set: labels that together hold the true one with the fitted coverage, if the picture is known. Null: not fitted.',
      ),
    known: z
      .number()
      .min(0)
      .max(1)
      .nullable()
      .describe(
        'Probability that the picture shows one of the classes at all, at even odds; read from the plain view. Null: not fitted.',
      ),
    level: z
      .enum(levels)
      .describe(
        'How far to rely on it. `none`: refused, it is like none of the classes; `sure`: known, and the set has one label; `perhaps`: the rest, and all of a model that has not fitted both.',
      ),
    group: z
      .string()
      .nullable()
      .describe(
        'Where level is `perhaps`: the group of sorts, as `names.csv` of the model gives them, whose labels together reach what a set must hold.',
      ),
    abstain: z.boolean().describe('Whether level is `none`.'),
    views: z
      .strictObject({ used: z.number().int().min(1), of: z.number().int().min(1), policy })
      .describe('Views that the answer is made of.'),
    details: z
      .strictObject({
        views: z.array(viewAnswer).describe('The best class of each view that was used, in order.'),
        coverage: z
          .number()
          .nullable()
          .describe('Share of pictures whose true label is in the set; null: the model has no sets.'),
      })
      .optional()
      .describe('With details=true.'),
    timings,
  }),
)
export type ClassifyAnswer = z.output<typeof classifyAnswer>

/** Where the model looked. */
export const explainAnswer = component(
  'ExplainAnswer',
  z.strictObject({
    model: modelVersion,
    crop: z
      .number()
      .describe('The model saw the middle square whose side is this share of the shortest edge of the upright image.'),
    height: z.number().int().min(1).describe('Rows of a map.'),
    width: z.number().int().min(1).describe('Columns of a map.'),
    maps: z
      .array(
        z.strictObject({
          label: z.string(),
          index: z.number().int().min(0),
          logit: z.number(),
          values: z
            .array(z.number())
            .describe(
              'Row by row over that square: what each place adds to the logit. They sum to it, less a constant of the class.',
            ),
        }),
      )
      .describe('One for each label that was asked for, in order.'),
    timings,
  }),
)
export type ExplainAnswer = z.output<typeof explainAnswer>

/** An error as it is answered (RFC 9457), media type `application/problem+json`. */
export const problem = component(
  'Problem',
  z.strictObject({
    type: z.string().describe('Page that describes the code, relative to the service.'),
    title: z.string(),
    status: z.number().int().min(400).max(599),
    detail: z.string(),
    code: z.enum(Object.keys(problems) as [ProblemCode, ...ProblemCode[]]),
  }),
)
export type Problem = z.output<typeof problem>

/** The answer to several images. */
export const classifyAnswers = component(
  'ClassifyAnswers',
  z.strictObject({
    results: z.array(z.union([classifyAnswer, problem])).describe('An answer or a problem for each image, in order.'),
  }),
)

/** Answer of `/livez` and `/readyz`. */
export const healthStatus = component('HealthStatus', z.strictObject({ status: z.enum(['alive', 'ready']) }))

/** An array that is checked where it is used: a tensor has too many values for a schema to look at each. */
const tensorData = z
  .custom<unknown[]>((value) => Array.isArray(value))
  .meta({ type: 'array', items: {}, description: 'Row-major, flat or nested. An image is base64.' })

const datatype = z.enum(['FP32', 'BYTES'])

const parameters = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]))

const inferInput = component(
  'InferInput',
  z.object({
    name: z.string().max(256),
    shape: z
      .array(
        z
          .number()
          .int()
          .min(0)
          .max(2 ** 31),
      )
      .max(8),
    datatype: z.string().max(256).describe('FP32 for pixel_values, BYTES for image.'),
    parameters: z
      .looseObject({ binary_data_size: z.number().int().min(0).optional().describe('Bytes after the JSON.') })
      .optional(),
    data: tensorData.optional(),
  }),
)

const requestedOutput = component(
  'RequestedOutput',
  z.object({
    name: z.string().max(256),
    parameters: z
      .looseObject({
        classification: z.number().int().min(0).optional().describe('The best k as "value:index:label" instead.'),
        binary_data: z.boolean().optional(),
      })
      .optional(),
  }),
)

/** Body of an inference, or its JSON part. */
export const inferRequest = component(
  'InferRequest',
  z.object({
    id: z.string().max(256).optional(),
    parameters: z
      .looseObject({
        binary_data_output: z.boolean().optional().describe('Answer with binary tensors where an output does not say.'),
        tta: policy.optional().describe('Views of an image that are asked.'),
      })
      .optional(),
    inputs: z.array(inferInput).min(1).max(8).describe('One: pixel_values or image.'),
    outputs: z.array(requestedOutput).max(8).optional().describe('Each once; without it all.'),
  }),
)

const inferOutput = component(
  'InferOutput',
  z.strictObject({
    name: z.string(),
    datatype,
    shape: z.array(z.number().int()),
    parameters: parameters.optional(),
    data: z.array(z.union([z.number(), z.string()])).optional(),
  }),
)

/** Answer of an inference, or its JSON part. */
export const inferResponse = component(
  'InferResponse',
  z.strictObject({
    model_name: z.string(),
    model_version: z.string(),
    id: z.string().optional(),
    outputs: z.array(inferOutput),
  }),
)
export type InferResponse = z.output<typeof inferResponse>

/** An error under `/v2`. */
export const protocolError = component('ProtocolError', z.strictObject({ error: z.string() }))

export const serverMetadata = component(
  'ServerMetadata',
  z.strictObject({ name: z.string(), version: z.string(), extensions: z.array(z.string()) }),
)

const tensorMetadata = component(
  'TensorMetadata',
  z.strictObject({ name: z.string(), datatype, shape: z.array(z.number().int()).describe('-1: any length.') }),
)

export const modelMetadata = component(
  'ModelMetadata',
  z.strictObject({
    name: z.string(),
    versions: z.array(z.string()),
    platform: z.string(),
    inputs: z.array(tensorMetadata).describe('A request has one of them.'),
    outputs: z
      .array(tensorMetadata)
      .describe(
        "logits belongs to pixel_values, probabilities to image, and known, where there is one, to both: the network's own value for pixel_values; for an image the probability that it shows one of the classes, where that is calibrated.",
      ),
  }),
)

export const serverLive = component('ServerLive', z.strictObject({ live: z.boolean() }))

export const serverReady = component('ServerReady', z.strictObject({ ready: z.boolean() }))

export const modelReady = component('ModelReady', z.strictObject({ name: z.string(), ready: z.boolean() }))

/** Body of `POST /v2/repository/index`. */
export const indexRequest = component(
  'RepositoryIndexRequest',
  z.object({ ready: z.boolean().optional().describe('Only models that are ready.') }),
)

export const repositoryIndex = component(
  'RepositoryIndex',
  z.array(
    z.strictObject({
      name: z.string(),
      version: z.string(),
      state: z.enum(['READY', 'UNAVAILABLE']),
      reason: z.string(),
    }),
  ),
)

/** Body of load and unload. */
export const repositoryRequest = component(
  'RepositoryRequest',
  z.object({
    parameters: z
      .strictObject({ unload_dependents: z.boolean().optional() })
      .optional()
      .describe('A model is as its folder says: its configuration cannot be changed here.'),
  }),
)

export const emptyAnswer = component('Empty', z.strictObject({}))
