import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { howToRead, summaryLines } from './summary.ts'

beforeEach(() => {
  vi.stubEnv('INIT_CWD', '/home/me')
})
afterEach(() => {
  vi.unstubAllEnvs()
})

const top1 = { value: 0.95, low: 0.8512, high: 0.9891, count: 40 }
const about = { recipe: { data: { selection: 'half' } }, data: { valid: 40, train: 230 } }
const calibration = { temperature: [1.2], known: {}, conformal: { count: 150 } }
const ece = { before: 0.1, after: 0.021, low: 0.004, high: 0.06, bins: 15 }
const manifest = { metrics: { top1, ece }, calibration, views: [{}], ...about } as never
const data = (train: Record<string, number>, excluded: string[] = []) => ({
  labels: Object.keys(train),
  counts: { train: new Map(Object.entries(train)), valid: new Map() },
  excluded,
  source: '/home/me/my photos',
})

describe('the summary of a run', () => {
  it('says how right the model is, of how many photos, and where its page is', () => {
    const lines = summaryLines('/home/me/runs/1', manifest, data({ rose: 30, tulip: 200 }))
    expect(lines).toEqual([
      'of the 40 photos kept for checking it names 95.0 % (85.1 % to 98.9 %) right; the range is what chance allows',
      'its mistakes and doubtful photos, as a page: runs/1/report.html',
      'how sure it says it is, is off by 2.1 % (0.4 % to 6.0 %) on average, on 20 photos',
    ])
  })

  it('claims nothing where nothing was fitted, says what would do, and how many views it takes', () => {
    const unfitted = { temperature: null, conformal: null, known: null, fastLead: null }
    const other = { metrics: { top1, ece: null }, calibration: unfitted, views: [{}, {}], ...about } as never
    const lines = summaryLines('/home/me/runs/1', other, data({ rose: 30 }))
    expect(lines[0]).toContain('right, with up to 2 views of each;')
    expect(lines.slice(2)).toEqual([
      'how sure it is of an answer is not fitted: 40 validation photos are too few; 200, or `--folds 5`, would do',
      'it names a flower on every picture, also where there is none; to refuse such pictures takes 200 photos kept for checking, which neither `--others` nor `--folds` makes up for',
    ])
  })

  it('says whose answers it was calibrated on', () => {
    const folded = { metrics: { top1, ece }, calibration: { ...calibration, networks: 5 }, views: [{}], ...about }
    expect(summaryLines('/home/me/runs/1', folded as never, data({ rose: 30 })).at(-1)).toBe(
      'how sure it says it is, is off by 2.1 % (0.4 % to 6.0 %) on average, on 150 photos that 5 networks trained as this one had not seen',
    )
  })

  it('names the classes that have the fewest photos', () => {
    const lines = summaryLines('/home/me/runs/1', manifest, data({ a: 9, b: 29, c: 200, constructor: 3, d: 10, e: 11 }))
    expect(lines.at(-1)).toBe(
      'what would help most: more photos to learn from of constructor (3), a (9), d (10) and 2 more classes',
    )
  })

  it('says how to see which photos were left out', () => {
    const [, , line] = summaryLines('/home/me/runs/1', manifest, data({ rose: 30 }, ['rose/a.jpg']))
    expect(line).toMatch(/^1 photo was left out; what is wrong with them: .* data audit --data 'my photos'$/)
  })
})

it('the lines of a training are explained, with what goes on after a cut', () => {
  const lines = howToRead('runs/1', 'train --resume runs/1')
  expect(lines[0]).toBe('everything is kept in runs/1; if this is cut off, go on with: train --resume runs/1')
  expect(lines.join('\n')).toMatch(/\* marks the epoch that a phase keeps/)
})
