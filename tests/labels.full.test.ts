import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Random } from '@flowers/shared/random'
import { cacheFolder } from '@flowers/trainer/console/cache-folder'
import { inspectAll, type Sample } from '@flowers/trainer/dataset/dataset'
import { openData } from '@flowers/trainer/dataset/open-data'
import { doubtfulPhotos } from '@flowers/trainer/labels/doubtful'
import { outOfFoldAnswers } from '@flowers/trainer/labels/out-of-fold-answers'
import { pretrainedFeatures } from '@flowers/trainer/train/pretrained-features'
import { expect, it } from 'vitest'

const data = process.env['FLOWERS_DATA'] ?? fileURLToPath(new URL('../../shared/data', import.meta.url))
const csv = join(data, 'garden18.csv')
const seeds = [1, 2, 3, 4, 5]
const wrongShare = 0.05

/** Gives a share of the photos another label each, any one as likely. */
function plant(samples: readonly Sample[], labels: readonly string[], seed: number) {
  const random = new Random(seed, 'drawing')
  const order = random.shuffle(samples.map((_, place) => place))
  const wrong = new Set(order.slice(0, Math.round(wrongShare * samples.length)))
  const planted = samples.map((sample, place) => {
    if (!wrong.has(place)) return sample
    const other = random.integer(labels.length - 1)
    const index = other >= sample.index ? other + 1 : other
    return { ...sample, index, label: labels[index]! }
  })
  return { planted, wrong: new Set([...wrong].map((place) => samples[place]!.id)) }
}

it.skipIf(!existsSync(csv))(
  `wrong labels that were planted in garden18 are found${existsSync(csv) ? '' : `: ${csv} is not there`}`,
  async () => {
    const dataset = await openData(csv, { seed: 1 })
    const { train, labels } = dataset
    const inspections = await inspectAll(train, dataset, {})
    const features = await pretrainedFeatures(
      { samples: train, files: dataset.files },
      { cache: cacheFolder(), log: console.log },
    )
    const found: { seed: number; planted: number; listed: number; at5: number; at8: number; all: number }[] = []
    for (const seed of seeds) {
      const { planted, wrong } = plant(train, labels, seed)
      const judged = await outOfFoldAnswers(
        planted.map((sample, place) => ({
          sample,
          split: 'train',
          features: features[place]!,
          perceptualHash: inspections[place]!.perceptualHash,
        })),
        dataset,
      )
      const doubtful = doubtfulPhotos(judged)
      const among = (share: number): number =>
        doubtful.slice(0, Math.round(share * train.length)).filter(({ photo }) => wrong.has(photo.sample.id)).length /
        wrong.size
      found.push({
        seed,
        planted: wrong.size,
        listed: doubtful.length,
        at5: among(0.05),
        at8: among(0.08),
        all: among(1),
      })
      console.log(JSON.stringify(found.at(-1)))
    }
    const meanOf = (key: 'at5' | 'at8' | 'all'): number =>
      found.reduce((sum, each) => sum + each[key] / found.length, 0)
    console.log(
      `mean: ${meanOf('at5').toFixed(4)} among the first 5 %, ${meanOf('at8').toFixed(4)} among the first 8 %`,
    )
    for (const { at8 } of found) expect(at8).toBeGreaterThan(0.9)
  },
)
