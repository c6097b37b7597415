import { expect, it } from 'vitest'
import { reportPhases } from '../testing/test-recipe.ts'
import { planWords } from './plan-words.ts'

const { head, full, fixres } = reportPhases
const facts = { shortSide: 1500, seconds: 610, spent: 42 }

it('says how long a plan takes and what is done in it', () => {
  const phases = {
    head: { ...head, epochs: 1, size: 224 },
    full: { ...full, epochs: 20, size: 224, batch: 16 },
    fixres: { ...fixres, epochs: 3, size: 288 },
  }
  expect(planWords({ phases }, facts)).toBe(
    'plan: about 10 min 10 s of training, after 42 s of looking and measuring; report and export come after that. ' +
      'Every epoch shows the network all training photos (1500 px), 16 at a time: 1 epoch for the last layer alone (224 px), ' +
      '20 epochs for the whole network (224 px), 3 epochs at the size it will answer at (288 px)',
  )
})

it('is silent on what is left out', () => {
  const phases = { head: { ...head, epochs: 0 }, full: { ...full, epochs: 2 }, fixres: { ...fixres, epochs: 0 } }
  const words = planWords({ phases }, facts)
  expect(words).not.toContain('last layer')
  expect(words).not.toContain('answer at')
})
