import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { listModels, openModel } from '@flowers/shared/model/package'
import { scoreDrawn } from '@flowers/trainer/evaluate/drawn-pictures'
import { openNetwork } from '@flowers/trainer/evaluate/network'
import { abstains, answerOf } from '@flowers/trainer/measure/calibrate'
import { shareOf } from '@flowers/trainer/measure/share-by-species'
import { expect, it } from 'vitest'

const modelsFolder = fileURLToPath(new URL('../models', import.meta.url))
const shipped = (await listModels(modelsFolder)).map(({ name, versions }) => ({ name, version: versions.at(-1)! }))

/** Of drawn pictures without a flower a shipped model refuses more than half, at the lower end of the interval. */
const least = 0.5

it.each(shipped)(
  '$name refuses where there is no flower as often as its manifest says',
  async ({ name, version }) => {
    const { network: path, manifest } = await openModel(join(modelsFolder, name, String(version)))
    const { refusals, nonFlowers } = manifest.metrics
    // A model of an earlier release has it of one view by another name.
    const promised = refusals?.drawn ?? nonFlowers!.none
    expect(promised.count).toBeGreaterThanOrEqual(200)
    expect(promised.low).toBeGreaterThan(least)

    const network = await openNetwork(path, manifest.preprocessing.size)
    const { preprocessing, views, calibration } = manifest
    // Pictures that the manifest does not stand on.
    const pictures = await scoreDrawn(network, {
      preprocessing,
      views,
      seed: manifest.data.seed + 7,
      part: 'measure',
      each: 3,
    })
    await network.release()
    const refused = pictures.map((picture) => abstains(answerOf(picture, 'none', calibration), calibration))
    // Three standard errors of so few pictures below what is promised.
    const error = Math.sqrt((promised.low * (1 - promised.low)) / refused.length)
    expect(shareOf(refused).value).toBeGreaterThanOrEqual(promised.low - 3 * error)
  },
  120_000,
)
