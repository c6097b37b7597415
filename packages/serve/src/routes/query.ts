import type { FastifyRequest } from 'fastify'
import type { z } from 'zod'
import { ServiceError } from '../errors.ts'

/**
 * Reads the query of requests by a schema. `expectations` finish the sentence "... must be ..." for each parameter.
 * The reader throws SERVICE_PARAMETER for a parameter that is unknown, repeated or has a wrong value.
 */
export function queryReader<Schema extends z.ZodObject>(
  schema: Schema,
  expectations: Readonly<Record<keyof z.output<Schema> & string, string>>,
): (request: FastifyRequest) => z.output<Schema> {
  return (request) => {
    const parsed = schema.safeParse(request.query)
    if (parsed.success) return parsed.data
    const issue = parsed.error.issues[0]!
    if (issue.code === 'unrecognized_keys') {
      const known = Object.keys(expectations).join(', ')
      throw new ServiceError(
        'SERVICE_PARAMETER',
        `There is no parameter ${JSON.stringify(issue.keys[0])}; there are: ${known}.`,
      )
    }
    const name = issue.path[0] as keyof z.output<Schema> & string
    const value = (request.query as Record<string, unknown>)[name]
    throw new ServiceError('SERVICE_PARAMETER', `${name} must be ${expectations[name]}, not ${JSON.stringify(value)}.`)
  }
}
