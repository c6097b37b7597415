import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { testFolder } from '../../testing/test-photos.ts'
import { initialize } from '../init.ts'
import { findArchitecture } from '../registry.ts'
import { keptHead, labelMetadata } from './kept-head.ts'
import { toTimmTensors } from './load.ts'
import { writeSafetensors } from './safetensors.ts'

const heads = { mlp: { kind: 'mlp', hidden: 12, dropout: 0 }, linear: { kind: 'linear' } } as const
const build = (architecture: string, classes: number, head: (typeof heads)[keyof typeof heads]) =>
  findArchitecture(architecture).build({ classes, head, stochasticDepth: 0, layerScale: 0 })

let folder: Awaited<ReturnType<typeof testFolder>>
beforeAll(async () => {
  folder = await testFolder({})
})
afterAll(() => folder.remove())

/** The file of a model with these labels. */
async function fileOf(model: ReturnType<typeof build>, metadata: Record<string, string>) {
  const file = join(folder.path, 'weights.safetensors')
  const values = initialize(model, 1)
  for (const name of values.keys())
    if (name.endsWith('.bias')) values.get(name)!.forEach((_, at, all) => (all[at] = at + 1))
  await writeSafetensors(file, toTimmTensors(model, values), metadata)
  return { file, values }
}

describe.each([
  ['convnext_atto', 'head.fc', heads.mlp],
  ['convnext_atto', 'head.fc', heads.linear],
  ['efficientnet_lite0', 'classifier', heads.linear],
] as const)('the head of %s (%s, %j)', (architecture, layer, head) => {
  it('keeps what it knew of a label, wherever that is now, and begins anew with others', async () => {
    const { file, values } = await fileOf(build(architecture, 3, head), labelMetadata(['rose', 'tulip', 'daisy']))
    const now = build(architecture, 4, head)
    const fresh = initialize(now, 2)
    const kept = (await keptHead(now, file, ['daisy', 'iris', 'rose', 'Rose'], fresh))!
    expect(kept.known).toBe(2)
    const bias = fresh.get(`${layer}.bias`)!
    expect([...kept.values.get(`${layer}.bias`)!]).toEqual([3, bias[1], 1, bias[3]])
    // In TensorFlow's layout a class is a column.
    const column = (weights: Float32Array, classes: number, at: number) => weights.filter((_, i) => i % classes === at)
    const [weights, before, new_] = [kept.values, values, fresh].map((of) => of.get(`${layer}.weight`)!)
    expect(column(weights!, 4, 0)).toEqual(column(before!, 3, 2))
    expect(column(weights!, 4, 1)).toEqual(column(new_!, 4, 1))
    expect(column(weights!, 4, 2)).toEqual(column(before!, 3, 0))
    if (head.kind === 'mlp')
      expect(kept.values.get('head.pre_logits.fc.weight')).toEqual(values.get('head.pre_logits.fc.weight'))
  })
})

it.each([
  ['a file without labels', heads.linear, {}],
  ['a file of another program', heads.linear, { labels: 'rose, tulip' }],
  ['labels that are not those of its outputs', heads.linear, labelMetadata(['rose'])],
  ['a head of another form', heads.mlp, labelMetadata(['rose', 'tulip', 'daisy'])],
] as const)('keeps nothing of %s', async (_, head, metadata) => {
  const { file } = await fileOf(build('convnext_atto', 3, head), metadata)
  const now = build('convnext_atto', 3, heads.linear)
  expect(await keptHead(now, file, ['rose', 'tulip', 'daisy'], initialize(now, 2))).toBeUndefined()
})
