import { expect, test } from 'vitest'
import { SerialQueue } from './serial-queue.ts'

test('jobs run one at a time, in order, past a failure', async () => {
  const queue = new SerialQueue()
  const log: string[] = []
  const open = new Map<string, () => void>()
  const added = ['a', 'b', 'c'].map((name) => {
    const gate = new Promise<void>((resolve) => open.set(name, resolve))
    return queue.add(async () => {
      log.push(`${name} begins`)
      await gate
      log.push(`${name} ends`)
      if (name === 'b') throw new Error('b failed')
      return name
    })
  })
  for (const name of ['c', 'b', 'a']) open.get(name)!()
  const results = await Promise.allSettled(added)
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
