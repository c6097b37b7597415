import type { FastifyRequest } from 'fastify'
import { expect, it } from 'vitest'
import { SharedError } from '@flowers/shared/errors'
import { readConfig } from '../config.ts'
import type { Classification } from '../engine/answers.ts'
import type { Classifier, RequestContext } from '../engine/classifier.ts'
import type { Engine } from '../engine/models.ts'
import { createInstruments, createRegistry } from '../observe/instruments.ts'
import { ClientGone } from '../errors.ts'
import { Inference, roundAll, tellStages } from './inference.ts'
import { UploadMemory } from './upload-memory.ts'

const question = { policy: 'exact', mayStepDown: false, topK: 1 } as const

function inference() {
  const instruments = createInstruments(createRegistry())
  const config = readConfig([], { FLOWERS_TTA: 'full' })!
  const made = new Inference({ engine: {} as Engine, instruments, uploads: new UploadMemory(1), config }, 3)
  const results = async (): Promise<string[]> =>
    (await instruments.images.get()).values.filter(({ value }) => value > 0).map(({ labels }) => String(labels.result))
  return { made, results }
}

function requestOf(work = new AbortController()): FastifyRequest {
  return { work, deadline: performance.now() + 2000, arrived: performance.now(), trace: null } as FastifyRequest
}

it('counts how each image of a request went', async () => {
  const { made, results } = inference()
  const work = new AbortController()
  let known: RequestContext | undefined
  const answers = [
    Promise.resolve({ abstain: false } as Classification),
    Promise.resolve({ abstain: true } as Classification),
    Promise.reject(new SharedError('IMAGE_BROKEN', 'no')),
    new Promise<Classification>(() => {}),
  ]
  const classify = (_images: unknown, _question: unknown, context: RequestContext): Promise<Classification>[] => {
    known = context
    return answers
  }
  const counted = made.classify(requestOf(work), { classify } as unknown as Classifier, [], question)
  await Promise.allSettled(counted.slice(0, 3))
  // The last is not answered: it is counted at once when the client leaves.
  work.abort(new ClientGone())
  await expect(counted[3]).rejects.toBeInstanceOf(ClientGone)
  expect((await results()).toSorted()).toEqual(['IMAGE_BROKEN', 'abstained', 'gone', 'ok'])
  expect(known!.seconds).toBeLessThanOrEqual(2)
  expect(known!.signal).toBe(work.signal)
})

it('follows the policy of the request, then that of the settings', () => {
  const { made } = inference()
  const model = { manifest: { viewPolicy: 'exact' } } as Classifier
  expect([made.policy(model, 'none'), made.policy(model, undefined)]).toEqual(['none', 'full'])
})

it('tells stages without their total, and rounds what is answered', () => {
  const request = requestOf()
  const timings = { decode: 1.234_5, queue: 2, infer: 3, total: 7 }
  tellStages(request, timings)
  expect(request.stageTimes).toEqual({ decode: 1.234_5, queue: 2, infer: 3 })
  expect(roundAll(timings).decode).toBe(1.23)
})
