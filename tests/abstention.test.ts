import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { listModels, openModel } from '@flowers/shared/model/package'
import { openNetwork } from '@flowers/trainer/evaluate/network'
import { nonFlowersOf, scoreNonFlowers } from '@flowers/trainer/evaluate/non-flowers'
import { expect, it } from 'vitest'

const modelsFolder = fileURLToPath(new URL('../models', import.meta.url))
const shipped = (await listModels(modelsFolder)).map(({ name, versions }) => ({ name, version: versions.at(-1)! }))

/** Of drawn pictures without a flower a shipped model abstains from more than half, at the lower end of the interval. */
const least = 0.5

it.each(shipped)(
  '$name abstains where there is no flower as often as its manifest says',
  async ({ name, version }) => {
    const { network: path, manifest } = await openModel(join(modelsFolder, name, String(version)))
    const { exact, none } = manifest.metrics.nonFlowers!
    for (const share of [exact, none]) {
      expect(share.count).toBeGreaterThanOrEqual(200)
      expect(share.low).toBeGreaterThan(least)
    }

    const network = await openNetwork(path, manifest.preprocessing.size)
    const { preprocessing, calibration } = manifest
    const views = manifest.views.slice(0, 1)
    // Pictures that the manifest does not stand on.
    const options = { preprocessing, views, seed: manifest.data.seed + 1, part: 'measure', each: 3 } as const
    const pictures = await scoreNonFlowers(network, options)
    await network.release()
    const measured = nonFlowersOf(pictures, calibration).none
    // Three standard errors of so few pictures below what is promised.
    const error = Math.sqrt((none.low * (1 - none.low)) / measured.count)
    expect(measured.value).toBeGreaterThanOrEqual(none.low - 3 * error)
  },
  120_000,
)
