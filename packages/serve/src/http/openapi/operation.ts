import type { ProblemCode } from '../../errors.ts'
import type { z } from 'zod'
import type { Access } from '../access.ts'

/** What a body is: a named schema, text, bytes, or a form with at most `images` images. */
export type Content = z.ZodType | 'text' | 'binary' | { readonly images: number }

/** A route as the OpenAPI document describes it. */
export interface Operation {
  readonly id: string
  readonly tag: 'Classify' | 'Health' | 'Open Inference Protocol' | 'Documentation'
  readonly summary: string
  readonly about?: string
  readonly query?: z.ZodObject
  /** Names of the request headers that it reads; see `requestHeaders`. */
  readonly headers?: readonly RequestHeader[]
  readonly body?: { readonly required: boolean; readonly content: Readonly<Record<string, Content>> }
  /** What a 200 holds, by media type. */
  readonly answer: Readonly<Record<string, Content>>
  /** Codes that it may be refused with, in addition to those of every route. */
  readonly errors: readonly ProblemCode[]
}

/** Request headers that some routes read. */
export const requestHeaders = {
  'X-Request-Timeout-Ms': {
    about: 'Milliseconds after which the answer is of no use: a later one is 504.',
    schema: { type: 'integer', minimum: 1, maximum: 600_000 },
  },
  'Inference-Header-Content-Length': {
    about: 'Bytes of the JSON in the body; the binary tensors follow. 0: the body is one image.',
    schema: { type: 'integer', minimum: 0 },
  },
} as const
export type RequestHeader = keyof typeof requestHeaders

declare module 'fastify' {
  interface FastifyContextConfig {
    operation?: Operation
    /** Without it: `client`. */
    access?: Access
  }
}
