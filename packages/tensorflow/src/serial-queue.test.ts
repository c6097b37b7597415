import { setTimeout as wait } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { SerialQueue } from './serial-queue.ts'

test('jobs run one at a time, in order, past a failure', async () => {
  const queue = new SerialQueue()
  const log: string[] = []
  const job = (name: string, ms: number) => async () => {
    log.push(`${name} begins`)
    await wait(ms)
    log.push(`${name} ends`)
    if (name === 'b') throw new Error('b failed')
    return name
  }
  const results = await Promise.allSettled([queue.add(job('a', 10)), queue.add(job('b', 5)), queue.add(job('c', 0))])
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
  expect(log).toEqual(['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends'])
})

test('afterwards acts at once on an idle queue and after the last job on a busy one', async () => {
  const queue = new SerialQueue()
  const log: string[] = []
  queue.afterwards(() => log.push('idle'))
  expect(log).toEqual(['idle'])
  const running = queue.add(async () => void log.push('job'))
  queue.afterwards(() => log.push('after'))
  expect(log).toEqual(['idle'])
  await running
  await queue.idle()
  await Promise.resolve()
  expect(log).toEqual(['idle', 'job', 'after'])
})
