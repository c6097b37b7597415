import { join } from 'node:path'
import { readManifest } from '@flowers/shared/model/package'
import { beforeEach, expect, it } from 'vitest'
import { createInstruments, createRegistry, type MetricsRegistry } from '../observe/instruments.ts'
import { testModels } from '../testing/service.ts'
import { hideModel, showModel } from './model-metrics.ts'

const wary = await readManifest(join(testModels, 'wary/1'))
const tiny = await readManifest(join(testModels, 'tiny/1'))

let registry: MetricsRegistry
let instruments: ReturnType<typeof createInstruments>

beforeEach(() => {
  registry = createRegistry()
  instruments = createInstruments(registry)
})

async function shares(): Promise<Record<string, number>> {
  const { values } = await registry.getSingleMetric('flowers_level_share')!.get()
  return Object.fromEntries(values.map(({ labels, value }) => [`${labels['model']} ${labels['level']}`, value]))
}

it('shows the levels of validation photos that the manifest knows, until the model is unloaded', async () => {
  showModel(instruments, wary, false)
  showModel(instruments, tiny, false)
  expect(await shares()).toEqual({ 'wary none': 0.05, 'wary sure': 0.75, 'wary perhaps': 0.2, 'tiny none': 0.05 })
  hideModel(instruments, wary)
  expect(await shares()).toEqual({ 'tiny none': 0.05 })
})

it('shows what is refused alone where the levels were not measured, and nothing where nothing is refused', async () => {
  const { levels: _, ...metrics } = wary.metrics
  const refused = { ...metrics, refusals: { ...metrics.refusals!, own: { ...metrics.top1, value: 0.04 } } }
  showModel(instruments, { ...wary, metrics: refused }, false)
  const { refusals: __, ...bare } = metrics
  showModel(instruments, { ...wary, name: 'bare', metrics: bare }, false)
  expect(await shares()).toEqual({ 'wary none': 0.04 })
})
