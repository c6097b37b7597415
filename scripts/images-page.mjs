// docs/images.md: what the service answers to which image, from the table that the tests hold it to.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './setup.mjs'

const source = 'tests/fixtures/image-contract/cases.json'

/** @param {(head: string[], rows: unknown[][]) => string[]} table @returns {string} */
export function imagesPage(table) {
  /** @type {{ input: string, status: number, code?: string, within?: number, note: string }[]} */
  const cases = JSON.parse(readFileSync(join(root, source), 'utf8'))
  const read = cases.filter(({ status }) => status === 200)
  const refused = cases.filter(({ status }) => status !== 200)
  return [
    `<!-- Made by \`npm run docs\` from ${source}. -->`,
    '',
    '# Images',
    '',
    'What `POST /classify` answers to which image; `/explain` and `/v2` read them by the same code. Every line is a test',
    '(`tests/image-contract.test.ts`). The name of a file and its media type count for nothing: the first bytes tell.',
    '',
    '## Answered',
    '',
    'The last column is how far the model input may be from that of the same picture as a plain PNG, in levels of 255: what',
    'the codec loses.',
    '',
    ...table(
      ['image', 'how it is read', 'levels'],
      read.map(({ input, note, within }) => [input, note, within]),
    ),
    '',
    '## Refused',
    '',
    ...table(
      ['image', 'status', 'code', 'why'],
      refused.map(({ input, status, code, note }) => [input, status, `\`${code}\``, note]),
    ),
    '',
    'Codes: [errors.md](errors.md). Limits of bytes and pixels: [configuration.md](configuration.md).',
    '',
  ].join('\n')
}
