import { expect, it } from 'vitest'
import { compareForecast } from './forecast.ts'

it('says and writes down what was planned and what it took', async () => {
  const lines: unknown[] = []
  const messages: string[] = []
  const log = { write: async (line: unknown) => void lines.push(line) }
  const progress = { message: (line: string) => void messages.push(line) }
  await compareForecast({ log, progress }, { seconds: 300, begun: 5000 }, 275_000)
  expect(lines).toEqual([{ event: 'time', seconds: 270, plannedSeconds: 300 }])
  expect(messages).toEqual(['trained: took 4 min 30 s, planned 5 min 00 s'])
})
