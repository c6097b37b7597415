import { dirname, sep } from 'node:path'
import { digestFile } from '@flowers/shared/files'
import { oneView } from '@flowers/shared/image/view'
import { startTensorflow } from '@flowers/tensorflow'
import type { OnProgress } from '../console/bar.ts'
import type { Dataset, Sample } from '../dataset/dataset.ts'
import { initialize } from '../model/init.ts'
import { cachedWeights, locateWeights } from '../model/weights/fetch.ts'
import { mapWeights } from '../model/weights/load.ts'
import { findPretrained } from '../model/weights/pretrained.ts'
import { readSafetensors } from '../model/weights/safetensors.ts'
import { buildModel } from '../recipe/network.ts'
import { quick } from '../recipe/recipes/quick.ts'
import { parseRecipe } from '../recipe/resolve-recipe.ts'
import { backboneFeatures } from './backbone-features.ts'
import { FeatureStore } from './feature-store.ts'
import { rowsOf } from './validate.ts'
import { TrainingVariables } from './variables.ts'

/** New photos after which what is known of them is written down: some minutes of work. */
const photosAtOnce = 2048

interface FeatureOptions {
  /** A folder that remembers features; null: none. */
  readonly cache: string | null
  readonly log: (line: string) => void
  /** Hears of photos that are new. */
  readonly onProgress?: OnProgress
  readonly signal?: AbortSignal
}

type Photos = Pick<Dataset, 'files'> & { readonly samples: readonly Sample[] }

/**
 * Pooled features of photos in their order, from the network of the recipe `quick` with its ImageNet weights: the plain
 * view at the size of that recipe. Photos of known content come from the cache. Throws WEIGHTS_DOWNLOAD, WEIGHTS_CHANGED,
 * DATA_IMAGE_LOST for a photo that cannot be read, and the reason of an aborted signal, before which what was computed is
 * written down part by part.
 */
export async function pretrainedFeatures(
  { samples, files }: Photos,
  { cache, log, onProgress, signal = new AbortController().signal }: FeatureOptions,
): Promise<Float32Array[]> {
  const { architecture, weights } = network.model
  const file = await locateWeights(weights!, architecture, log, signal)
  const model = buildModel(network, 1)
  const store = await openStore(samples, file, cache, model.featureCount)
  const hashOf = ({ id }: Sample): string => files.get(id)!.sha256
  const fresh = [...new Map(samples.map((sample) => [hashOf(sample), sample])).values()].filter(
    (sample) => store.get(hashOf(sample)) === undefined,
  )
  if (fresh.length > 0) {
    await startTensorflow({ deterministic: true })
    const values = mapWeights(model, await readSafetensors(file), { head: 'skip' })
    const variables = new TrainingVariables(model, [], new Map([...initialize(model, 1), ...values]), [])
    const backbone = { model, weight: (name: string) => variables.weight(name), preprocessing }
    try {
      let done = 0
      for (let first = 0; first < fresh.length; first += photosAtOnce) {
        const part = fresh.slice(first, first + photosAtOnce)
        for await (const piece of backboneFeatures(backbone, part, { scale: 1, flips: ['none'], signal })) {
          for (const row of rowsOf(piece, piece.length / model.featureCount)) store.add(hashOf(fresh[done++]!), row)
          onProgress?.(done, fresh.length)
        }
        await store.save()
      }
    } finally {
      variables.dispose()
    }
  }
  return samples.map((sample) => store.get(hashOf(sample))!)
}

/** How many of the photos the cache does not know; null where the weights would have to be fetched first. */
export async function countFresh({ samples, files }: Photos, cache: string): Promise<number | null> {
  const file = await cachedWeights(findPretrained(network.model.weights!)!)
  if (file === undefined) return null
  const store = await openStore(samples, file, cache, buildModel(network, 1).featureCount)
  return samples.filter(({ id }) => store.get(files.get(id)?.sha256 ?? '') === undefined).length
}

const network = parseRecipe(quick)
const preprocessing = { ...network.preprocessing, size: network.phases.head.size }

async function openStore(
  samples: readonly Sample[],
  weights: string,
  cache: string | null,
  width: number,
): Promise<FeatureStore> {
  const { sha256 } = await digestFile(weights)
  const key = JSON.stringify([network.model.architecture, sha256, preprocessing, oneView])
  return FeatureStore.open({ cache, root: commonFolder(samples.map(({ path }) => path)), key, width })
}

/** The deepest folder that holds all of these files; the same for a folder of photos and for a list of them elsewhere. */
export function commonFolder([first = sep, ...paths]: readonly string[]): string {
  let folder = dirname(first)
  for (const path of paths) {
    while (folder !== dirname(folder) && !path.startsWith(folder.endsWith(sep) ? folder : folder + sep))
      folder = dirname(folder)
  }
  return folder
}
