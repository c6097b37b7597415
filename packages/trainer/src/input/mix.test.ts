import { describe, expect, it } from 'vitest'
import { mean } from '../measure/mean.ts'
import { cutmixBox, drawMix, gamma, symmetricBeta, unmixed } from './mix.ts'
import { Random } from '@flowers/shared/random'

const draws = <T>(count: number, draw: (random: Random) => T): T[] =>
  Array.from({ length: count }, (_, position) => draw(new Random(9, 'mix', 0, position)))

describe('distributions', () => {
  it.each([0.2, 1, 3.5])('gamma(%d) has mean and variance equal to its shape', (shape) => {
    const values = draws(20_000, (random) => gamma(shape, random))
    const average = mean(values)
    expect(average).toBeGreaterThan(shape * 0.95)
    expect(average).toBeLessThan(shape * 1.05)
    const variance = mean(values.map((value) => (value - average) ** 2))
    expect(variance).toBeGreaterThan(shape * 0.88)
    expect(variance).toBeLessThan(shape * 1.12)
  })

  it.each([0.2, 1])('beta(%d) has the variance 1 / (4 (2 alpha + 1))', (alpha) => {
    const values = draws(20_000, (random) => symmetricBeta(alpha, random))
    expect(mean(values)).toBeGreaterThan(0.48)
    expect(mean(values)).toBeLessThan(0.52)
    const variance = mean(values.map((value) => (value - 0.5) ** 2))
    const expected = 1 / (4 * (2 * alpha + 1))
    expect(variance).toBeGreaterThan(expected * 0.95)
    expect(variance).toBeLessThan(expected * 1.05)
  })
})

describe('cutmixBox', () => {
  it('replaces a quarter of the area when the weight is three quarters', () => {
    expect(cutmixBox(0.75, 64, 0.5, 0.5)).toEqual({ outside: 1, inside: 0, box: [16, 16, 48, 48], lam: 0.75 })
  })

  it('corrects the label weight for what the border clips', () => {
    expect(cutmixBox(0.75, 64, 0, 0)).toEqual({ outside: 1, inside: 0, box: [0, 0, 16, 16], lam: 1 - 256 / 4096 })
  })
})

describe('drawMix', () => {
  const options = {
    mixupAlpha: 0.2,
    cutmixAlpha: 0.35,
    probability: 1,
    mixupOffEpoch: 35,
    cutmixOffEpoch: 20,
    late: null,
  }
  const kinds = (epoch: number) => draws(300, (random) => drawMix(options, { epoch, epochs: 100 }, 64, random))

  it('uses both, then MixUp alone, then neither', () => {
    const both = kinds(0)
    const boxes = both.filter((mix) => mix.inside === 0 && mix.outside === 1).length
    expect(boxes).toBeGreaterThan(110)
    expect(boxes).toBeLessThan(190)
    expect(kinds(20).every((mix) => mix.outside === mix.inside && mix.lam === mix.outside)).toBe(true)
    expect(kinds(20).some((mix) => mix.lam < 1)).toBe(true)
    expect(kinds(35).every((mix) => mix === unmixed)).toBe(true)
  })

  it('weakens MixUp and leaves out CutMix in the last epochs', () => {
    const late = { ...options, mixupOffEpoch: null, cutmixOffEpoch: null, late: { epochs: 10, mixup: 0.1, cutmix: 0 } }
    const at = (epoch: number) => draws(400, (random) => drawMix(late, { epoch, epochs: 50 }, 64, random))
    const mixed = (mixes: readonly { lam: number }[]) => mean(mixes.map(({ lam }) => Math.min(lam, 1 - lam)))
    expect(at(39).some(({ inside, outside }) => inside !== outside)).toBe(true)
    expect(at(40).every(({ inside, outside }) => inside === outside)).toBe(true)
    expect(mixed(at(40))).toBeLessThan(mixed(at(39)) / 2)
  })
})
