import { expect, it } from 'vitest'
import { Turns } from './turns.ts'

it('does one thing after the other, also after one that failed', async () => {
  const turns = new Turns()
  const done: string[] = []
  let open = (): void => {}
  const gate = new Promise<void>((resolve) => (open = resolve))
  const first = turns.take(async () => {
    await gate
    done.push('first')
    throw new Error('no')
  })
  const second = turns.take(async () => done.push('second'))
  const ended = turns.ended().then(() => done.push('ended'))
  await new Promise(setImmediate)
  expect(done).toEqual([])
  open()
  await expect(first).rejects.toThrow('no')
  expect(await second).toBe(2)
  await ended
  expect(done).toEqual(['first', 'second', 'ended'])
})
