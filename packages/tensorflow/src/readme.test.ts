import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

test('the program of the README runs and its loss falls', () => {
  const program = /```js\n([\s\S]*?)```/.exec(readFileSync(new URL('../README.md', import.meta.url), 'utf8'))![1]!
  const output = execFileSync(process.execPath, ['--input-type=module', '--eval', program], {
    cwd: fileURLToPath(new URL('..', import.meta.url)),
    encoding: 'utf8',
  })
  const losses = output
    .trim()
    .split('\n')
    .map((line) => Number(line.split(' ')[1]))
  expect(losses).toHaveLength(20)
  expect(losses.at(-1)).toBeLessThan(losses[0]! / 1000)
})
