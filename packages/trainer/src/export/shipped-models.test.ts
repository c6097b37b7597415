import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { modelFiles, openModel } from '@flowers/shared/model/package'
import { describe, expect, it } from 'vitest'
import { storedRecipeSchema } from '../recipe/schema.ts'
import { recipes } from '../recipe/recipes/index.ts'

const models = fileURLToPath(new URL('../../../../models', import.meta.url))

describe.each(['garden18', 'flowers102'])('the model %s', (name) => {
  it('is one version, from the recipe of its name as it is here', async () => {
    const versions = (await readdir(join(models, name))).filter((entry) => /^\d+$/.test(entry))
    expect(versions).toHaveLength(1)
    const folder = join(models, name, versions[0]!)
    const { manifest } = await openModel(folder)
    // The run stores which precision `auto` took.
    const { precision, ...trained } = storedRecipeSchema.parse(manifest.recipe)
    const { precision: _, ...committed } = storedRecipeSchema.parse(recipes[name])
    expect(precision).toBe('float32')
    expect(trained).toEqual(committed)
    expect((await stat(join(folder, modelFiles.network))).size).toBeLessThan(20e6)
  })
})
