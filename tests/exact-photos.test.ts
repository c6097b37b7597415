import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { buildApp } from '@flowers/serve/app'
import { readConfig } from '@flowers/serve/config'
import { openModel, resolveModel } from '@flowers/shared/model/package'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const root = fileURLToPath(new URL('..', import.meta.url))
const photosFolder = resolve(root, process.env['FLOWERS_DATA'] ?? '../shared/data', 'flowers102-64/valid')
const modelsFolder = join(root, 'models')
const model = 'flowers102'
const isMissing = !existsSync(photosFolder)
if (isMissing) console.log(`Skipped: ${photosFolder} is missing.`)

/** One of so many photos. */
const stride = 7

interface Result {
  readonly label: string
  readonly used: number
}

/** What the early exits promise, on photos: the label of all six views, always or almost always. */
describe.skipIf(isMissing)('early exits on validation photos', () => {
  let service: Awaited<ReturnType<typeof buildApp>>
  const results: Record<'full' | 'exact' | 'fast', Result>[] = []

  beforeAll(async () => {
    service = await buildApp(
      readConfig([], { MODELS_DIR: modelsFolder, MODEL: model, FLOWERS_LOG_LEVEL: 'silent', FLOWERS_WATCH_MS: 'off' })!,
    )
    await service.engine.start()
    const files = await readdir(photosFolder, { recursive: true })
    const photos = files.filter((file) => /\.(jpe?g|png)$/i.test(file)).sort()
    const ask = async (photo: Buffer, policy: string): Promise<Result> => {
      const response = await service.app.inject({
        method: 'POST',
        url: `/classify?tta=${policy}&top_k=1`,
        headers: { 'content-type': 'image/jpeg' },
        payload: photo,
      })
      const { predictions, views } = response.json<{ predictions: Result[]; views: { used: number } }>()
      return { label: predictions[0]!.label, used: views.used }
    }
    for (let index = 0; index < photos.length; index += stride) {
      const photo = await readFile(join(photosFolder, photos[index]!))
      const [full, exact, fast] = await Promise.all(['full', 'exact', 'fast'].map((policy) => ask(photo, policy)))
      results.push({ full: full!, exact: exact!, fast: fast! })
    }
  })
  afterAll(() => service.app.close())

  it('exact gives the label of all views for every photo, with fewer views', () => {
    expect(results.length).toBeGreaterThan(100)
    expect(results.filter(({ full, exact }) => full.label !== exact.label)).toEqual([])
    expect(results.filter(({ exact }) => exact.used < 6).length).toBeGreaterThan(results.length / 3)
  })

  it('fast differs no more often than the manifest bounds, with fewer views than exact', async () => {
    const { manifest } = await openModel((await resolveModel(modelsFolder, model)).folder)
    const { disagreementBound } = manifest.calibration.fastLead!
    const differing = results.filter(({ full, fast }) => full.label !== fast.label).length
    // Three deviations of a binomial count above the bound.
    const most = results.length * disagreementBound
    expect(differing).toBeLessThanOrEqual(most + 3 * Math.sqrt(most))
    const views = (policy: 'exact' | 'fast') => results.reduce((sum, result) => sum + result[policy].used, 0)
    expect(views('fast')).toBeLessThan(views('exact'))
  })
})
