import { existsSync } from 'node:fs'
import { readFile, readdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { toTensor } from '@flowers/shared/image/canvas'
import { decodeCenter } from '@flowers/shared/image/preprocess'
import { efficientnetLiteNormalization } from '@flowers/shared/image/preprocessing'
import { argmax } from '@flowers/shared/model/views'
import { expect, it } from 'vitest'
import { differenceFromReference, openPretrained, weightsForTest } from '../../testing/test-network.ts'

for (const [name, size] of [
  ['efficientnet_lite1', 240],
  ['efficientnet_lite2', 260],
] as const) {
  const { path, missing } = await weightsForTest(name)
  it.skipIf(missing)(`${name} has the logits of efficientnet-lite-pytorch${missing && `: ${missing}`}`, async () => {
    expect(await differenceFromReference(path, name, size)).toBeLessThan(1e-3)
  })
}

const root = fileURLToPath(new URL('../../../../..', import.meta.url))
const folder = resolve(root, process.env['FLOWERS_DATA'] ?? '../shared/data', 'flowers5')
const lite0 = await weightsForTest('efficientnet_lite0')
const missing = lite0.missing || (existsSync(folder) ? '' : `${folder} is missing`)

/** Of ImageNet-1k. */
const daisy = 985

it.skipIf(missing)(
  `efficientnet_lite0, untouched, calls three daisies in four a daisy${missing && `: ${missing}`}`,
  async () => {
    const size = 224
    const preprocessing = {
      size,
      cropFraction: size / (size + 32),
      kernel: 'bicubic',
      ...efficientnetLiteNormalization,
    } as const
    const network = await openPretrained(lite0.path, 'efficientnet_lite0', size)
    const photos = await Promise.all(
      ['train', 'valid'].map(async (split) => {
        const daisies = join(folder, split, 'daisy')
        return (await readdir(daisies)).map((file) => join(daisies, file))
      }),
    )
    const right: boolean[] = []
    for (const photo of photos.flat()) {
      const image = new Float32Array(3 * size * size)
      toTensor(await decodeCenter(await readFile(photo), preprocessing), 'none', preprocessing, image, 0)
      right.push(argmax(await network.logits(image)) === daisy)
    }
    network.dispose()
    console.log(`${right.filter(Boolean).length} of ${right.length} daisies`)
    expect(right.filter(Boolean).length / right.length).toBeGreaterThanOrEqual(0.75)
  },
)
