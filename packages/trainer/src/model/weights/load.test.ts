import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, it } from 'vitest'
import type { ModelOptions } from '../architecture.ts'
import { convnext } from '../convnext.ts'
import { mapWeights, toTimmTensors } from './load.ts'
import { readSafetensors, type SafetensorsTensor } from './safetensors.ts'

const fixtures = fileURLToPath(new URL('../../../../../tests/fixtures/convnext/', import.meta.url))
const config = {
  name: 'small',
  depths: [1, 1, 2, 1],
  dims: [8, 16, 24, 32],
  mlpKind: 'linear',
  stochasticDepth: 0,
} as const
const options: ModelOptions = { classes: 10, head: { kind: 'linear' }, stochasticDepth: 0, layerScale: 1e-6 }
const model = convnext(config).build(options)
const otherClasses = convnext(config).build({ ...options, classes: 3, head: { kind: 'mlp', hidden: 12, dropout: 0 } })

let timm: Map<string, SafetensorsTensor>
beforeAll(async () => {
  timm = await readSafetensors(`${fixtures}timm.safetensors`)
})

function withTensor(name: string, change: Partial<SafetensorsTensor>): Map<string, SafetensorsTensor> {
  return new Map(timm).set(name, { dtype: 'F32', shape: [1], data: new Float32Array(1), ...timm.get(name), ...change })
}

it.each(['huggingface', 'torchvision'])("takes %s's names for timm's", async (library) => {
  const tensors = await readSafetensors(`${fixtures}${library}.safetensors`)
  expect([...tensors.keys()].some((name) => timm.has(name))).toBe(false)
  expect(mapWeights(model, tensors, { head: 'load' })).toEqual(mapWeights(model, timm, { head: 'load' }))
})

it("writes back timm's names, shapes and values", () => {
  const written = toTimmTensors(model, mapWeights(model, timm, { head: 'load' }))
  expect([...written.keys()].toSorted()).toEqual([...timm.keys()].toSorted())
  for (const [name, tensor] of written) expect(timm.get(name), name).toMatchObject(tensor)
})

it('reads and writes the MLP of the smallest sizes as 1x1 convolutions', () => {
  const pointwise = convnext({ ...config, mlpKind: 'pointwise' }).build(options)
  const asConvolutions = new Map(
    [...timm].map(([name, tensor]) => [
      name,
      /mlp\.fc[12]\.weight$/.test(name) ? { ...tensor, shape: [...tensor.shape, 1, 1] } : tensor,
    ]),
  )
  const values = mapWeights(pointwise, asConvolutions, { head: 'load' })
  expect(values).toEqual(mapWeights(model, timm, { head: 'load' }))
  expect(mapWeights(model, asConvolutions, { head: 'load' })).toEqual(values)
  expect(toTimmTensors(pointwise, values).get('stages.0.blocks.0.mlp.fc1.weight')?.shape).toEqual([32, 8, 1, 1])
})

describe('without the head', () => {
  it.each(['timm', 'huggingface', 'torchvision'])(
    "takes everything else from %s's weights of other classes",
    async (library) => {
      const tensors = await readSafetensors(`${fixtures}${library}.safetensors`)
      const values = mapWeights(otherClasses, tensors, { head: 'skip' })
      const left = otherClasses.parameters.map(({ name }) => name).filter((name) => !values.has(name))
      expect(left).toEqual(['head.pre_logits.fc.weight', 'head.pre_logits.fc.bias', 'head.fc.weight', 'head.fc.bias'])
      expect(values.get('head.norm.weight')).toEqual(timm.get('head.norm.weight')?.data)
    },
  )

  it('does without a normalisation that the file lacks', () => {
    const backbone = new Map([...timm].filter(([name]) => !name.startsWith('head.')))
    expect(mapWeights(otherClasses, backbone, { head: 'skip' }).has('head.norm.weight')).toBe(false)
  })

  it('still needs the whole backbone', () => {
    const partial = new Map([...timm].filter(([name]) => name !== 'stem.1.bias'))
    expect(() => mapWeights(otherClasses, partial, { head: 'skip' })).toThrow(/missing \(1\): stem\.1\.bias/)
  })
})

describe('weights that do not fit', () => {
  const load = (tensors: Map<string, SafetensorsTensor>) => () => mapWeights(model, tensors, { head: 'load' })

  it('are refused with every missing, unexpected and misshapen name', () => {
    const tensors = withTensor('stages.9.blocks.0.gamma', {})
    tensors.delete('stem.0.weight')
    tensors.delete('stages.2.blocks.1.gamma')
    tensors.set('stem.1.bias', { dtype: 'F32', shape: [9], data: new Float32Array(9) })
    expect(load(tensors)).toThrow(expect.objectContaining({ code: 'MODEL_WEIGHTS_MISMATCH' }))
    expect(load(tensors)).toThrow(
      'the weights do not fit small: missing (2): stem.0.weight, stages.2.blocks.1.gamma; ' +
        'unexpected (1): stages.9.blocks.0.gamma; of another kind or shape (1): stem.1.bias is [9] instead of [8]',
    )
  })

  it('are refused when values would only fit after a transpose', () => {
    expect(load(withTensor('stages.0.blocks.0.mlp.fc1.weight', { shape: [8, 32] }))).toThrow(
      /is \[8, 32\] instead of \[32, 8\]/,
    )
  })

  it('are refused when they are integers', () => {
    expect(load(withTensor('stem.1.bias', { data: new Int32Array(8) }))).toThrow(/not of floating point/)
  })

  it('are refused when the head has other classes', () => {
    expect(() => mapWeights(convnext(config).build({ ...options, classes: 3 }), timm, { head: 'load' })).toThrow(
      /head\.fc\.weight is \[10, 32\] instead of \[3, 32\]/,
    )
  })

  it('are refused when they give one parameter twice', async () => {
    const tensors = await readSafetensors(`${fixtures}huggingface.safetensors`)
    const bias = tensors.get('classifier.bias')
    if (bias) tensors.set('head.fc.bias', bias)
    expect(load(tensors)).toThrow(/unexpected \(1\): head\.fc\.bias \(a second head\.fc\.bias\)/)
  })

  it('are refused when they belong to another network', () => {
    const other = new Map([['layer1.0.conv1.weight', { dtype: 'F32', shape: [1], data: new Float32Array(1) } as const]])
    expect(load(other)).toThrow(/missing \(\d+\): stem\.0\.weight.* and \d+ more; unexpected \(1\): layer1/)
  })
})
