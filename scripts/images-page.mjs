// docs/images.md: what the service answers to which image, from the table that the tests hold it to.
import { fill, readJson, table } from './template.mjs'

const source = 'tests/fixtures/image-contract/cases.json'

export function imagesPage() {
  /** @type {{ input: string, status: number, code?: string, within?: number, note: string }[]} */
  const cases = readJson(source)
  const read = cases.filter(({ status }) => status === 200)
  const refused = cases.filter(({ status }) => status !== 200)
  return fill('images', source, {
    answered: table(
      ['image', 'how it is read', 'levels'],
      read.map(({ input, note, within }) => [input, note, within]),
    ),
    refused: table(
      ['image', 'status', 'code', 'why'],
      refused.map(({ input, status, code, note }) => [input, status, `\`${code}\``, note]),
    ),
  })
}
