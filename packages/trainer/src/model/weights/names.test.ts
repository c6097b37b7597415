import { expect, it } from 'vitest'
import { architectures } from '../registry.ts'
import { translatorOf } from './names.ts'

const known = new Set(
  architectures['efficientnet_lite1']!.build({
    classes: 2,
    head: { kind: 'linear' },
    stochasticDepth: 0,
    layerScale: 0,
  }).parameters.map(({ name }) => name),
)

// Lite1 has 1, 3, 3, 4, 4, 5 and 1 blocks; the first block has no expansion.
it.each([
  ['_conv_stem.weight', 'conv_stem.weight'],
  ['_bn0.running_var', 'bn1.running_var'],
  ['_blocks.0._depthwise_conv.weight', 'blocks.0.0.conv_dw.weight'],
  ['_blocks.0._bn1.bias', 'blocks.0.0.bn1.bias'],
  ['_blocks.0._project_conv.weight', 'blocks.0.0.conv_pw.weight'],
  ['_blocks.0._bn2.weight', 'blocks.0.0.bn2.weight'],
  ['_blocks.1._expand_conv.weight', 'blocks.1.0.conv_pw.weight'],
  ['_blocks.6._bn0.running_mean', 'blocks.2.2.bn1.running_mean'],
  ['_blocks.7._depthwise_conv.weight', 'blocks.3.0.conv_dw.weight'],
  ['_blocks.19._bn1.weight', 'blocks.5.4.bn2.weight'],
  ['_blocks.20._project_conv.weight', 'blocks.6.0.conv_pwl.weight'],
  ['_blocks.20._bn2.weight', 'blocks.6.0.bn3.weight'],
  ['_conv_head.weight', 'conv_head.weight'],
  ['_bn1.bias', 'bn2.bias'],
  ['_fc.weight', 'classifier.weight'],
])('takes %s of efficientnet-lite-pytorch for %s of timm', (name, expected) => {
  expect(known).toContain(expected)
  expect(translatorOf([name], known)(name)).toBe(expected)
})

it('leaves a block beyond the last, and names of no scheme, as they are', () => {
  const translate = translatorOf(['_conv_stem.weight', '_fc.bias'], known)
  expect(known).not.toContain(translate('_blocks.21._bn2.weight'))
  expect(translatorOf(['layer4.2.conv3.weight'], known)('layer4.2.conv3.weight')).toBe('layer4.2.conv3.weight')
})
