/** The trace that a request belongs to. */
export interface TraceContext {
  /** 32 hexadecimal digits. */
  readonly traceId: string
  /** 16 hexadecimal digits: the span of the caller. */
  readonly parentId: string
  /** Whether the caller records its spans. */
  readonly sampled: boolean
}

const pattern = /^([\da-f]{2})-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})(-.*)?$/

/** Reads the header `traceparent` (W3C Trace Context, level 1); null when it is absent or not valid. */
export function readTraceparent(header: string | string[] | undefined): TraceContext | null {
  if (typeof header !== 'string') return null
  const [, version, traceId, parentId, flags, more] = pattern.exec(header) ?? []
  if (traceId === undefined || parentId === undefined || version === 'ff') return null
  // Later versions may add fields; version 00 has none.
  if (version === '00' && more !== undefined) return null
  if (/^0+$/.test(traceId) || /^0+$/.test(parentId)) return null
  return { traceId, parentId, sampled: (Number.parseInt(flags ?? '0', 16) & 1) === 1 }
}
