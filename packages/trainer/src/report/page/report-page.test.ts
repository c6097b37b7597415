import { printable } from '@flowers/shared/printable'
import { parseHTML } from 'linkedom'
import { describe, expect, it } from 'vitest'
import { recipeSchema } from '../../recipe/checks.ts'
import { recipes } from '../../recipe/recipes/index.ts'
import { oddNames } from '../../testing/odd-names.ts'
import { findingsOf, type RunFacts } from '../facts.ts'
import type { JudgedPhoto } from '../../labels/doubtful.ts'
import { reportPage } from './report-page.ts'

/** Two validation photos a class, of which every third class has one wrong, and one training photo. */
function factsOf(labels: readonly string[]): RunFacts {
  const photo = (index: number, given: number, split: JudgedPhoto['split']): JudgedPhoto => {
    const id = `${split}/${labels[index]}/${given}.jpg`
    const scores = Float32Array.from(labels, (_, place) => (place === given ? 0.6 : 0.4 / (labels.length - 1)))
    return { sample: { id, path: `/${id}`, label: labels[index]!, index }, split, scores }
  }
  const next = (index: number): number => (index % 3 === 0 ? (index + 1) % labels.length : index)
  const each = (count: number): number[] => labels.map(() => count)
  return {
    recipe: recipeSchema.parse(recipes.demo),
    labels,
    counts: { train: each(1), valid: each(2) },
    splitBy: 'given',
    source: 'flowers',
    sha256: 'ff',
    excluded: [],
    audit: {
      checked: 1,
      errors: 0,
      warnings: 1,
      problems: labels.map((label) => ({ kind: 'notValidated', ids: [], detail: label })),
    },
    history: { phases: [], sweep: [] },
    checkpoint: { phase: 'full', epoch: 0, size: 64 },
    parameters: 1,
    environment: {},
    valid: labels.flatMap((_, index) => [photo(index, index, 'valid'), photo(index, next(index), 'valid')]),
    train: labels.map((_, index) => photo(index, index, 'train')),
    outOfFold: null,
  }
}

interface Page {
  querySelectorAll(
    selector: string,
  ): Iterable<{ readonly textContent: string | null; getAttribute(name: string): string | null }>
}

const texts = (document: Page, selector: string): string[] =>
  [...document.querySelectorAll(selector)].map(({ textContent }) => textContent!)

describe('odd names of classes', async () => {
  const facts = factsOf(oddNames)
  const text = reportPage(facts, await findingsOf(facts), null)
  const document = parseHTML(text).document as unknown as Page

  it('are shown as they are, each once in the table', () => {
    expect(texts(document, '.classes tbody th[scope=row]').toSorted()).toEqual(oddNames.map(printable).toSorted())
    expect([...document.querySelectorAll('script, [onclick], th b, td b, li b, [href^=javascript]')]).toEqual([])
  })

  it('are each a class of the charts, also where they are shown alike', () => {
    const chart = (section: string) => `#${section} ~ figure svg`
    const cells = texts(document, `${chart('confusion')} title`).map((title) => Number(/: (\d+)/.exec(title)![1]))
    expect(cells.reduce((sum, count) => sum + count, 0)).toBe(2 * oddNames.length)
    const heads = texts(document, `${chart('confusion')} text`)
    expect(heads.filter((head) => head === `${'y'.repeat(59)}…`)).toHaveLength(4)
    expect(texts(document, `${chart('data')} title`)).toHaveLength(2 * oddNames.length)
    for (const svg of document.querySelectorAll('svg')) expect(Number(svg.getAttribute('width'))).toBeLessThan(2000)
  })

  it('can do nothing to a reader', () => {
    // oxlint-disable-next-line no-control-regex -- it is what must not be there
    expect(text).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u202e]/)
  })
})

it('of many classes has everything but a matrix that nobody could look at', async () => {
  const labels = Array.from({ length: 301 }, (_, index) => `species ${index}`)
  const facts = factsOf(labels)
  const text = reportPage(facts, await findingsOf(facts), null)
  expect(text).toContain('A matrix of 301 classes is too large')
  expect(text).not.toContain('Confusion matrix')
  expect(text.match(/<h3>\s*species \d+ called/g)).toHaveLength(12)
  for (const label of labels) expect(text).toContain(`<th scope="row">${label}</th>`)
})
