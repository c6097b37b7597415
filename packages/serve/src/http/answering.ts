import type { FastifyRequest } from 'fastify'
import type { Classification, Classifier, ClassifyOptions } from '../engine/classifier.ts'
import type { Scheduler } from '../engine/scheduler/scheduler.ts'
import type { Instruments } from '../observe/instruments.ts'
import { untilOver } from './deadline.ts'
import { toFlowersError } from './errors.ts'
import { ClientGone, Dropped } from '../errors.ts'
import { Stopwatch } from '../observe/stopwatch.ts'

/** What every image of a request is asked with. */
export interface RequestContext {
  readonly request: FastifyRequest
  readonly classifier: Classifier
  readonly scheduler: Scheduler
  readonly instruments: Instruments
}

/** Classifies one image for a request, until its deadline, and counts how it went. */
export async function answerImage(
  context: RequestContext,
  image: Uint8Array,
  question: Omit<ClassifyOptions, 'signal' | 'watch'>,
): Promise<Classification> {
  const { request, classifier, scheduler, instruments } = context
  const watch = new Stopwatch(instruments, request)
  try {
    const { signal } = request.work
    const answer = await untilOver(request, classifier.classify(image, { ...question, signal, watch }, scheduler))
    instruments.images.inc({ result: answer.abstain ? 'abstained' : 'ok' })
    return answer
  } catch (error) {
    instruments.images.inc({ result: resultOf(error) })
    throw error
  }
}

function resultOf(error: unknown): string {
  if (error instanceof ClientGone) return 'gone'
  return error instanceof Dropped ? 'dropped' : toFlowersError(error).code
}
