export type Fields = Readonly<Record<string, unknown>>

/** Whether a value of JSON has fields: neither a list nor null. */
export const isRecord = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
