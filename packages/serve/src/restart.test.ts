import { expect, it } from 'vitest'
import type { Question } from './testing/ask.ts'
import { photo } from './testing/pictures.ts'
import { restartOneByOne, stopUnderLoad } from './testing/restart.ts'

const environment = { MODEL: 'slow', FLOWERS_WORKERS: '1' }

async function questions(path: string): Promise<(index: number) => Question> {
  const pictures = await Promise.all([1, 2, 3].map((seed) => photo(seed, 320)))
  const headers = { 'content-type': 'image/jpeg' }
  return (index) => ({ path, method: 'POST', headers, body: pictures[index % pictures.length]! })
}

it('answers what it admitted when it is stopped under load, and exits with 0', async () => {
  const question = await questions('/classify?tta=full')
  const { statuses, exitCodes } = await stopUnderLoad({ environment, question, rate: 20, seed: 3 })
  expect(Object.keys(statuses)).toEqual(['200'])
  expect(statuses['200']).toBeGreaterThan(1)
  expect(exitCodes).toEqual([0])
})

it('fails no request while two instances behind a proxy are restarted one after the other', async () => {
  const question = await questions('/classify?tta=none')
  const { statuses, exitCodes } = await restartOneByOne({ environment, question, rate: 12, seed: 4, rounds: 1 })
  expect(Object.keys(statuses)).toEqual(['200'])
  expect(exitCodes).toEqual([0, 0])
})
