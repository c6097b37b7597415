import { FlowersError } from '@flowers/shared/errors'
import type { ErrorCode } from '@flowers/shared/errors'

/** An error from the catalogue that is answered with headers of its own. */
export class ServiceError extends FlowersError {
  readonly headers: Readonly<Record<string, string>>

  constructor(
    code: ErrorCode,
    detail: string,
    headers: Readonly<Record<string, string>>,
    options?: { cause?: unknown },
  ) {
    super(code, detail, options)
    this.name = 'ServiceError'
    this.headers = headers
  }
}

/** A 503 with `Retry-After`: whole seconds, at least 1 (RFC 9110, section 10.2.3). */
export function retryLater(
  code: 'SERVICE_NOT_READY' | 'SERVICE_OVERLOADED' | 'SERVICE_DEADLINE_SHORT' | 'SERVICE_WORKER_LOST',
  detail: string,
  seconds: number,
): ServiceError {
  return new ServiceError(code, detail, { 'retry-after': String(Math.max(1, Math.ceil(seconds))) })
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
