import { expect, it } from 'vitest'
import type { Question } from '@flowers/serve/testing/ask'
import { photo } from '@flowers/serve/testing/pictures'
import { restartOneByOne, stopUnderLoad } from '@flowers/serve/testing/restart'

/** Nobody is refused because of load: what is refused is refused by a service or a proxy that is at fault. */
const environment = {
  MODEL: 'slow',
  FLOWERS_WORKERS: '1',
  FLOWERS_QUEUE_LIMIT: '1000',
}

async function questions(path: string): Promise<(index: number) => Question> {
  const pictures = await Promise.all([1, 2, 3].map((seed) => photo(seed, 320)))
  const headers = { 'content-type': 'image/jpeg' }
  return (index) => ({ path, method: 'POST', headers, body: pictures[index % pictures.length]! })
}

it('answers what it admitted when it is stopped under load, and exits with 0', async () => {
  const question = await questions('/classify?tta=full')
  const { answered, failures, exitCodes } = await stopUnderLoad({ environment, question, rate: 20, seed: 3 })
  expect(failures).toEqual([])
  expect(answered).toBeGreaterThan(1)
  expect(exitCodes).toEqual([0])
})

it('fails no request while two instances behind a proxy are restarted one after the other', async () => {
  const question = await questions('/classify?tta=none')
  const { answered, failures, exitCodes } = await restartOneByOne({
    environment,
    question,
    rate: 8,
    seed: 4,
    rounds: 1,
  })
  expect(failures).toEqual([])
  expect(answered).toBeGreaterThan(1)
  expect(exitCodes).toEqual([0, 0])
})
