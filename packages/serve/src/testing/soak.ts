import { viewPolicies } from '@flowers/shared/model/views'
import { ask, connections, type Question } from './ask.ts'
import { count } from './overload.ts'
import { form, photo } from './pictures.ts'
import type { ServiceProcess } from './process.ts'
import { robustSlope, uniform } from './statistics.ts'

export interface Soak {
  readonly statuses: Readonly<Record<string, number>>
  /** Bytes that the process had, and how many requests it had been sent by then; from the end of the warm-up. */
  readonly samples: readonly (readonly [requests: number, resident: number])[]
  /** Bytes a request, over those samples. */
  readonly slope: number
}

export interface SoakPlan {
  readonly service: ServiceProcess
  readonly requests: number
  /** Requests that are no part of the slope. */
  readonly warmUp: number
  /** Sides of the pictures in pixels. */
  readonly sides: readonly number[]
  /** Share of the requests with a policy other than `none`, from 0 to 1. */
  readonly manyViews: number
  readonly seed: number
}

/** For the model that is shipped: mostly one view, as all six of each would take three times as long. */
export const soakAtSize: Omit<SoakPlan, 'service'> = {
  requests: 10_000,
  warmUp: 2000,
  sides: [320, 640, 1280],
  manyViews: 0.05,
  seed: 1,
}

const clients = 4
const samples = 200

/** Shares of the requests: with two pictures in a form, and whose client leaves before the answer. */
const forms = 0.05
const leaving = 0.05
const latestLeaveMs = 200

/**
 * Requests of every kind from clients that ask one after the other: pictures of several sizes and formats, alone and in
 * forms, every policy, and clients that leave at any moment.
 */
export async function soak({ service, requests, warmUp, sides, manyViews, seed }: SoakPlan): Promise<Soak> {
  const formats = ['jpeg', 'png', 'webp'] as const
  const pictures = await Promise.all(
    formats.flatMap((format, index) => sides.map((side) => photo(seed + index, side, format))),
  )
  const single = pictures.map((body) => ({ headers: { 'content-type': 'application/octet-stream' }, body }))
  const pairs = await Promise.all(pictures.map((picture, index) => encode(form(picture, pictures.at(-index)!))))
  const draw = uniform(seed)
  const any = <T>(values: readonly T[]): T => values[Math.floor(draw() * values.length)]!
  const question = (): Question => ({
    path: `/classify?tta=${draw() < manyViews ? any(viewPolicies) : 'none'}`,
    method: 'POST',
    ...any(draw() < forms ? pairs : single),
    ...(draw() < leaving ? { leaveMs: draw() * latestLeaveMs } : {}),
  })
  const statuses: (number | string)[] = []
  const resident: [number, number][] = []
  const every = Math.ceil((requests - warmUp) / samples)
  const agent = connections()
  let sent = 0
  const client = async (): Promise<void> => {
    while (sent < requests) {
      if (++sent > warmUp && sent % every === 0) resident.push([sent, await service.resident()])
      statuses.push((await ask(service.url, question(), agent)).status)
    }
  }
  await Promise.all(Array.from({ length: clients }, client))
  agent.destroy()
  return { statuses: count(statuses), samples: resident, slope: robustSlope(resident) }
}

/** A form as a client sends it. */
async function encode(data: FormData): Promise<Pick<Question, 'headers' | 'body'>> {
  const encoded = new Response(data)
  const type = encoded.headers.get('content-type')!
  return { headers: { 'content-type': type }, body: Buffer.from(await encoded.arrayBuffer()) }
}
