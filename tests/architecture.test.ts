import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

const root = fileURLToPath(new URL('..', import.meta.url))
const read = (path: string): string => readFileSync(`${root}${path}`, 'utf8')
const architecture = read('ARCHITECTURE.md')

const sources = readdirSync(`${root}packages`)
  .filter((name) => existsSync(`${root}packages/${name}/src`))
  .flatMap((name) =>
    readdirSync(`${root}packages/${name}/src`, { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.ts') && !path.endsWith('.test.ts'))
      .map((path) => `packages/${name}/src/${path}`),
  )

/** What the file that answers a question of ARCHITECTURE.md defines, and no other file does. */
const answers: readonly [question: string, file: string, definition: RegExp][] = [
  ['where is a photo decoded?', 'packages/shared/src/image/decode.ts', /export async function decodeImage\(/],
  ['where is early exit decided?', 'packages/shared/src/model/views.ts', /export function mayStop\(/],
  [
    'where is a setting of a recipe checked?',
    'packages/trainer/src/recipe/schema.ts',
    /export const storedRecipeSchema =/,
  ],
  ['where is a file of a run folder named?', 'packages/trainer/src/run/files.ts', /export const runFiles =/],
  [
    'what is calibration fitted on?',
    'packages/trainer/src/measure/split-validation.ts',
    /export function calibrationHalves</,
  ],
  ['where is an HTTP status chosen?', 'packages/serve/src/errors.ts', /SERVICE_TOO_LATE: \{\s*status: 504/],
]

it.each(answers)('names the file: %s', (question, file, definition) => {
  const row = architecture.split('\n').find((line) => line.startsWith(`| ${question}`))
  expect(row).toContain(`\`${file}\``)
  expect(sources.filter((path) => definition.test(read(path)))).toEqual([file])
})

it('names files and rooms that exist', () => {
  const paths = [...architecture.matchAll(/`((?:packages|scripts|tests|deploy)\/[\w./-]+)`/g)].map(([, path]) => path!)
  expect(paths.length).toBeGreaterThan(10)
  expect(paths.filter((path) => !existsSync(`${root}${path}`))).toEqual([])
})
