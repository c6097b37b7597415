import { expect, it } from 'vitest'
import { replaceCalibration } from './card-calibration.ts'

const section = '## Calibration\n\nNew.'

it('changes the section and nothing else', () => {
  const card = '# model\n\n## Accuracy\n\nA.\n\n## Calibration\n\nOld.\n\n- 1\n\n## Training\n\nT.\n'
  expect(replaceCalibration(card, section)).toBe(
    '# model\n\n## Accuracy\n\nA.\n\n## Calibration\n\nNew.\n\n## Training\n\nT.\n',
  )
  expect(replaceCalibration('# model\n\n## Calibration\n\nOld.\n', section)).toBe('# model\n\n## Calibration\n\nNew.\n')
})

it('adds it at the end of a card without it', () => {
  expect(replaceCalibration('# model\n', section)).toBe('# model\n\n## Calibration\n\nNew.\n')
})
