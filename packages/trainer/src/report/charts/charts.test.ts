import { parseHTML } from 'linkedom'
import type { Html } from '@flowers/shared/html'
import { describe, expect, it } from 'vitest'
import type { HistoryEpoch, HistoryPhase } from '../../run/history.ts'
import { chartFile } from './chart.ts'
import { classCountsChart } from './class-bars.ts'
import { curves } from './curves.ts'
import { confusionChart } from './heat-map.ts'
import { reliabilityChart } from './reliability.ts'

const svgOf = ({ text }: Html) => parseHTML(`<body>${text}</body>`).document.querySelector('svg')!

const titles = (chart: Html): string[] => [...svgOf(chart).querySelectorAll('title')].map((each) => each.textContent!)

describe('the confusion matrix', () => {
  const diagonal = (classes: number) =>
    Array.from({ length: classes }, (_, index) => ({ truth: index, predicted: index, photos: 1 }))

  it('draws what there is and says what it is', () => {
    const chart = confusionChart(
      [
        { truth: 0, predicted: 0, photos: 3 },
        { truth: 0, predicted: 1, photos: 1 },
        { truth: 1, predicted: 1, photos: 2 },
      ],
      ['a', 'b', '<c>'],
    )
    expect(titles(chart)).toEqual([
      'a: 3 right, 75.0 % of the class',
      'a called b: 1, 25.0 % of the class',
      'b: 2 right, 100.0 % of the class',
    ])
    const text = [...svgOf(chart).querySelectorAll('text')].map((each) => each.textContent)
    expect(text.filter((each) => each === '<c>')).toHaveLength(2)
    expect(text).toContain('3')
    expect(chart.text).not.toContain('<c>')
  })

  it.each([18, 102, 152])('has letters that can be read with %i classes', (classes) => {
    const labels = Array.from({ length: classes }, (_, index) => `flower ${index}`)
    const svg = svgOf(confusionChart(diagonal(classes), labels))
    expect(Number.parseFloat(/font-size:\s*([\d.]+)px/.exec(svg.getAttribute('style') ?? '')![1]!)).toBeGreaterThan(8.5)
    // A row is as high as its label.
    expect(Number(svg.getAttribute('height'))).toBeGreaterThan(9.5 * classes)
    expect(svg.querySelectorAll('rect')).toHaveLength(classes)
  })
})

describe('the photos by class', () => {
  it('have a label for every one of 152 classes where the chart stands alone', () => {
    const classes = Array.from({ length: 152 }, (_, index) => ({ label: `class ${index} & <co>`, train: 3, valid: 1 }))
    const chart = classCountsChart(classes, { alone: true })
    const labels = [...svgOf(chart).querySelectorAll('text')].map((each) => each.textContent)
    expect(labels.filter((label) => label?.startsWith('class'))).toHaveLength(152)
    expect(Number(svgOf(chart).getAttribute('width'))).toBeGreaterThan(16 * 152)
    expect(chartFile(chart)).not.toMatch(/var\(|<co>|& /)
  })
})

const epoch = (phase: string, epoch: number): HistoryEpoch => ({
  event: 'epoch',
  phase,
  epoch,
  epochs: 3,
  loss: 2 - epoch / 10,
  trainAccuracy: 0.4,
  validLoss: 1.5,
  validAccuracy: 0.5 + epoch / 10,
  ttaAccuracy: epoch === 1 ? 0.65 : null,
  best: true,
  learningRate: epoch === 2 ? 0 : 0.001,
  backboneLearningRate: phase === 'head' ? 0 : epoch === 2 ? 0 : 0.0001,
  seconds: 3,
  effectivePrior: null,
  effectivePriorSlope: null,
})

const phase = (name: string, epochs: number): HistoryPhase => ({
  event: 'phase',
  phase: name,
  size: 64,
  validAccuracy: 0.2,
  validLoss: 3,
  effectivePrior: null,
  effectivePriorSlope: null,
  epochs: Array.from({ length: epochs }, (_, index) => epoch(name, index)),
})

describe('curves', () => {
  it('have no point where the loss was not a number', () => {
    const { epochs, ...start } = phase('full', 3)
    const broken = { ...start, validLoss: null, epochs: epochs.map((each) => ({ ...each, validLoss: null })) }
    const { loss } = curves([broken])!
    expect(titles(loss).filter((title) => title.includes('validation'))).toEqual([])
  })

  it('run through all phases, each from where it starts', () => {
    const { loss, accuracy, learningRate } = curves([phase('full', 3), phase('fixres', 2)])!
    expect(titles(loss).filter((title) => title.includes('training'))).toHaveLength(5)
    expect(titles(accuracy)).toContain('full: validation accuracy before the first epoch: 20.0 %')
    expect(titles(accuracy).filter((title) => title.includes('several views'))).toEqual([
      'full: accuracy with several views after epoch 2: 65.0 %',
      'fixres: accuracy with several views after epoch 2: 65.0 %',
    ])
    // One line a phase and kind, so that no line leads from one phase into the next.
    expect(svgOf(loss).querySelectorAll('g[aria-label=line] path')).toHaveLength(4)
    // A rate of 0 has no place on a logarithmic axis.
    expect(titles(learningRate).filter((title) => title.includes('of the head'))).toHaveLength(4)
    expect(titles(learningRate).filter((title) => title.includes('of the backbone'))).toContain(
      'fixres: learning rate of the backbone after epoch 1: 1.0e-4',
    )
    expect(titles(learningRate)).toHaveLength(8)
    expect(svgOf(learningRate).querySelectorAll('g[aria-label=line] path')).toHaveLength(4)
    expect(loss.text + accuracy.text + learningRate.text).not.toMatch(/NaN|undefined/)
  })

  it('have no rate of a backbone that does not learn, or of a run that did not record it', () => {
    const old = phase('full', 2)
    const unrecorded = { ...old, epochs: old.epochs.map((each) => ({ ...each, backboneLearningRate: null })) }
    for (const each of [phase('head', 2), unrecorded]) {
      const { learningRate } = curves([each])!
      expect(titles(learningRate).some((title) => title.includes('backbone'))).toBe(false)
      expect(svgOf(learningRate).getAttribute('aria-label')).not.toContain('backbone')
    }
  })

  it('wait for the first epoch', () => {
    expect(curves([])).toBeNull()
    expect(curves([phase('full', 0)])).toBeNull()
  })
})

it('a reliability diagram has a dot for each bin with photos', () => {
  const bins = [
    { photos: 0, accuracy: 0, confidence: 0 },
    { photos: 4, accuracy: 0.25, confidence: 0.6 },
    { photos: 9, accuracy: 1, confidence: 0.9 },
  ]
  const chart = reliabilityChart(bins)
  // The larger is drawn first, so that it hides no other.
  expect(titles(chart)).toEqual(['9 photos: 90.0 % sure, 100.0 % right', '4 photos: 60.0 % sure, 25.0 % right'])
  expect(svgOf(chart).getAttribute('aria-label')).toContain('1 of 2 filled bins')
})

it('class counts go from most to fewest', () => {
  const classes = [
    { label: 'b', train: 3, valid: 1 },
    { label: 'a', train: 120, valid: 9 },
  ]
  expect(titles(classCountsChart(classes)).filter((title) => title.includes('training'))).toEqual([
    'a: 120 training photos',
    'b: 3 training photos',
  ])
  // Of the limits of shot groups both lie within the axis.
  expect(svgOf(classCountsChart(classes)).querySelectorAll('g[aria-label=rule] line').length).toBe(3)
})
