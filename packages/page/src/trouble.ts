import { ProblemError } from '@flowers/client/client'

/** What went wrong, for a person. */
export interface Trouble {
  readonly title: string
  readonly text: string
  /** Whether the same picture may succeed later. */
  readonly again: boolean
  /** Whether the service wants a token. */
  readonly token: boolean
}

/** What a person meets often, in their words; the catalogue's titles are for those who write programs. */
const titles: Readonly<Record<string, string>> = {
  IMAGE_UNSUPPORTED: 'I cannot read this',
  IMAGE_BROKEN: 'This picture is broken',
  IMAGE_TOO_LARGE: 'Picture too large',
  SERVICE_OVERLOADED: 'I am busy',
  SERVICE_NOT_READY: 'I am still waking up',
  SERVICE_TOO_LATE: 'That took too long',
  SERVICE_UNAUTHORIZED: 'This service asks for a token',
}

const passing = new Set([429, 500, 502, 503, 504])

/** Any failure of a request. */
export function troubleOf(error: unknown): Trouble {
  if (!(error instanceof ProblemError)) {
    return {
      title: 'I cannot be reached',
      text: 'The service does not answer. Check that it runs and that you are connected, then try again.',
      again: true,
      token: false,
    }
  }
  const { problem, retryAfter } = error
  const { title, detail, status, code } = problem
  if (code === null) return foreignTrouble(status)
  const wait =
    retryAfter === null ? '' : ` It should be free in about ${retryAfter === 1 ? 'a second' : `${retryAfter} seconds`}.`
  return { title: titles[code] ?? title, text: `${detail}${wait}`, again: passing.has(status), token: status === 401 }
}

/** A proxy answered: its words are not for a person, and a token of the service would not help. */
function foreignTrouble(status: number): Trouble {
  const text = `What stands before the service answered in its place (HTTP ${status}).`
  if (status === 413) {
    return { title: 'Picture too large', text: `${text} Make it smaller and try again.`, again: false, token: false }
  }
  const again = passing.has(status)
  const advice = again ? 'Try again in a moment.' : 'Ask the people who run this service.'
  return { title: 'I cannot be reached', text: `${text} ${advice}`, again, token: false }
}

/** A picture that is larger than the service takes: refused here, before it is sent. Null: it is not. */
export function tooLarge(bytes: number, limitMb: number): Trouble | null {
  if (bytes <= limitMb * 1e6) return null
  return {
    title: 'Picture too large',
    text: `It has ${(bytes / 1e6).toFixed(1)} MB; up to ${limitMb} MB are taken. Make it smaller and try again.`,
    again: false,
    token: false,
  }
}
