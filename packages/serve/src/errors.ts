import { FlowersError, sharedErrors, type ErrorEntry, type SharedErrorCode } from '@flowers/shared/errors'

interface ProblemEntry extends ErrorEntry {
  /** HTTP status of the answer. */
  readonly status: number
}

const serviceErrors = {
  MODEL_UNLOADED: {
    status: 404,
    title: 'Model not loaded',
    remedy:
      'A model is loaded when it is first asked; one that was unloaded, with POST /v2/repository/models/<name>/load.',
  },
  MODEL_IN_USE: {
    status: 409,
    title: 'Model in use',
    remedy: 'The default model stays loaded; start the service with another MODEL to serve without it.',
  },
  MODEL_WITHOUT_MAPS: {
    status: 404,
    title: 'Model cannot show where it looked',
    remedy:
      'Export the model again; its network needs to end in pooling and a linear head, with a hidden layer or without.',
  },
  MODEL_MEMORY: {
    status: 500,
    title: 'Too little memory for the model',
    remedy: 'Give the service more memory, fewer workers with FLOWERS_WORKERS, or unload other models.',
  },
  SERVICE_MALFORMED: {
    status: 400,
    title: 'Malformed request',
    remedy: 'Correct the request; the detail says where it is wrong.',
  },
  SERVICE_PARAMETER: {
    status: 400,
    title: 'Wrong parameter',
    remedy:
      'Use the parameters model, tta, allow_step_down, top_k, details, label and the header X-Request-Timeout-Ms as described.',
  },
  SERVICE_TENSOR: {
    status: 400,
    title: 'Inference request does not fit the model',
    remedy: 'GET /v2/models/<name> describes the inputs and outputs of the model.',
  },
  SERVICE_UNAUTHORIZED: {
    status: 401,
    title: 'Token missing or wrong',
    remedy: 'Send the header "Authorization: Bearer" with the token of this service.',
  },
  SERVICE_FORBIDDEN: {
    status: 403,
    title: 'Administration not allowed',
    remedy: 'Set FLOWERS_ADMIN_TOKEN where the service runs, and send that token as "Authorization: Bearer".',
  },
  SERVICE_NO_IMAGE: {
    status: 400,
    title: 'No image in the request',
    remedy: 'Send the file in the multipart field img (curl -F img=@rose.jpg) or as the body.',
  },
  SERVICE_NOT_FOUND: { status: 404, title: 'No such page', remedy: 'See GET / for what there is.' },
  SERVICE_METHOD: { status: 405, title: 'Method not allowed', remedy: 'Use one of the methods in the Allow header.' },
  SERVICE_SLOW_REQUEST: {
    status: 408,
    title: 'Request arrives too slowly',
    remedy: 'Send the request again over a faster connection, or a smaller image.',
  },
  SERVICE_TOO_LARGE: { status: 413, title: 'Request too large', remedy: 'Send fewer or smaller images.' },
  SERVICE_MEDIA_TYPE: {
    status: 415,
    title: 'Content type not accepted',
    remedy:
      'Send the image as the body, or as the field img of multipart/form-data; tensors as JSON or application/octet-stream, not compressed otherwise than by gzip or deflate.',
  },
  SERVICE_RATE_LIMITED: {
    status: 429,
    title: 'Too many requests from this address',
    remedy: 'Wait for the seconds in Retry-After, then send fewer requests a minute.',
  },
  SERVICE_HEADERS_TOO_LARGE: {
    status: 431,
    title: 'Request headers too large',
    remedy: 'Send fewer or shorter headers.',
  },
  SERVICE_NOT_READY: {
    status: 503,
    title: 'Not ready',
    remedy: 'Wait for the seconds in Retry-After and send the request again.',
  },
  SERVICE_OVERLOADED: {
    status: 503,
    title: 'Too many requests are waiting',
    remedy: 'Wait for the seconds in Retry-After and send the request again.',
  },
  SERVICE_DEADLINE_SHORT: {
    status: 503,
    title: 'Deadline shorter than an answer takes',
    remedy: 'Allow more time in X-Request-Timeout-Ms, ask for fewer views with tta, or send fewer images at once.',
  },
  SERVICE_WORKER_LOST: {
    status: 503,
    title: 'The inference worker stopped',
    remedy: 'Wait for the seconds in Retry-After and send the request again.',
  },
  SERVICE_TOO_LATE: {
    status: 504,
    title: 'Deadline passed',
    remedy: 'Allow more time in X-Request-Timeout-Ms, or ask for fewer views with tta.',
  },
} as const satisfies Record<string, ProblemEntry>

/** HTTP statuses of the shared errors that a client can meet. */
const sharedStatuses = {
  IMAGE_EMPTY: 400,
  IMAGE_UNSUPPORTED: 415,
  IMAGE_TOO_LARGE: 413,
  IMAGE_BROKEN: 422,
  IMAGE_SLOW: 422,
  MODEL_MISSING: 404,
  MODEL_MANIFEST: 500,
  MODEL_FORMAT: 500,
  MODEL_TAMPERED: 500,
  MODEL_NAMES: 500,
  MODEL_OUTPUT: 500,
  INTERNAL: 500,
} as const satisfies Partial<Record<SharedErrorCode, number>>

/** Errors that end the start of the service. No client meets them. */
export const startErrors = {
  SERVICE_CONFIGURATION: {
    exit: 2,
    title: 'Wrong setting',
    remedy: 'Run the service with --help for the settings and their values.',
  },
  SERVICE_ADDRESS: {
    title: 'Cannot listen',
    remedy: 'Choose another address with --host and --port, or stop what uses this one.',
  },
} as const satisfies Record<string, ErrorEntry>

/** Code of an answer that is a problem. */
export type ProblemCode = keyof typeof sharedStatuses | keyof typeof serviceErrors

/** Every problem that a client can meet, by its code. */
export const problems: Readonly<Record<ProblemCode, ProblemEntry>> = {
  ...(Object.fromEntries(
    Object.entries(sharedStatuses).map(([code, status]) => [
      code,
      { ...sharedErrors[code as SharedErrorCode], status },
    ]),
  ) as Record<keyof typeof sharedStatuses, ProblemEntry>),
  ...serviceErrors,
}

const ownErrors = { ...serviceErrors, ...startErrors }

export type ServiceErrorCode = keyof typeof ownErrors

export class ServiceError extends FlowersError<ServiceErrorCode> {
  /** Of the answer. */
  readonly headers: Readonly<Record<string, string>>

  constructor(
    code: ServiceErrorCode,
    detail: string,
    { headers = {}, ...options }: ErrorOptions & { headers?: Readonly<Record<string, string>> } = {},
  ) {
    super(code, ownErrors[code], detail, options)
    this.headers = headers
  }
}

/** A 503 with `Retry-After`: whole seconds, at least 1 (RFC 9110, section 10.2.3). */
export function retryLater(
  code: 'SERVICE_NOT_READY' | 'SERVICE_OVERLOADED' | 'SERVICE_DEADLINE_SHORT' | 'SERVICE_WORKER_LOST',
  detail: string,
  seconds: number,
): ServiceError {
  return new ServiceError(code, detail, { headers: { 'retry-after': String(Math.max(1, Math.ceil(seconds))) } })
}

/** The request was answered without the result of this work. */
export class Dropped extends Error {
  constructor() {
    super('The request was answered without it.')
    this.name = 'Dropped'
  }
}

/** The client closed the connection, so there is nothing to answer. */
export class ClientGone extends Error {
  constructor() {
    super('The client closed the connection.')
    this.name = 'ClientGone'
  }
}
