import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Sample } from '../dataset/dataset.ts'
import {
  calibrateNetwork,
  type CalibratedNetwork,
  type CalibrateNetworkOptions,
} from '../evaluate/calibrate-network.ts'
import { openNetwork, type Network } from '../evaluate/network.ts'
import { scoreAllPhotos, scorePhotos } from '../evaluate/score-photos.ts'
import { knownOf, type Rejector } from '../measure/rejector.ts'
import { calibrationHalves } from '../measure/split-validation.ts'
import { TrainerError } from '../errors.ts'
import { writeWithFeatures, writeWithKnown } from './known-outputs.ts'

export interface FitNetworkOptions extends Omit<CalibrateNetworkOptions, 'bytes'> {
  /** ONNX file; left as it is. */
  readonly network: string
  /** A folder for files that come in between, of twice the size of the network. */
  readonly folder: string
  /** Interpreter of the trainer's Python environment. */
  readonly python: string
  /** Validation photos. */
  readonly photos: readonly Sample[]
}

export interface FittedNetwork extends CalibratedNetwork {
  /** ONNX file in `folder` with the outputs `probabilities` and, where something refuses, `known`. */
  readonly onnx: string
}

/** Share of photos of the classes that may be refused, unless said. */
export const usualRefusedShare = 0.05

/**
 * Measures a network on validation photos, fits all that its answers stand on, and writes what of it belongs into the file.
 * Throws DATA_IMAGE_LOST for a photo that cannot be read, EXPORT_CONVERTER, and EXPORT_KNOWN where the file says
 * something else than was fitted.
 */
export async function fitNetwork(options: FitNetworkOptions): Promise<FittedNetwork> {
  const { network: source, folder, python, preprocessing } = options
  const withFeatures = join(folder, 'features.onnx')
  const mayRefuse = calibrationHalves(options.photos, options.choosing, options.seed) !== null
  const handsOut = mayRefuse && (await writeWithFeatures(source, withFeatures, python))
  // The copy has nothing of an earlier rejector, so that its size depends on no such.
  const measured = handsOut ? withFeatures : source
  const network = await openNetwork(measured, preprocessing.size)
  try {
    const calibrated = await scoreAndCalibrate(network, (await stat(measured)).size, options)
    const onnx = join(folder, 'known.onnx')
    const temperature = calibrated.calibration.temperature?.[0] ?? 1
    const rejector = calibrated.known?.rejector ?? null
    await writeWithKnown(source, onnx, { temperature, rejector, python })
    if (rejector) await requireKnown(onnx, rejector, calibrated.photos, options)
    return { ...calibrated, onnx }
  } finally {
    await network.release()
  }
}

async function scoreAndCalibrate(
  network: Network,
  bytes: number,
  options: FitNetworkOptions,
): Promise<CalibratedNetwork> {
  const { preprocessing, views, progress } = options
  const onProgress = progress(`measuring with ${views.length} views`)
  const photos = await scoreAllPhotos(network, options.photos, { preprocessing, views, onProgress })
  return calibrateNetwork(network, photos, { ...options, bytes })
}

/** So many photos are enough to see whether a file computes what was fitted. */
const checked = 8
/** More is no rounding: the file computes in float32. */
const tolerance = 1e-3

/** Holds the output `known` of a file against what was fitted, on the same photos. Throws EXPORT_KNOWN. */
async function requireKnown(
  onnx: string,
  rejector: Rejector,
  scored: CalibratedNetwork['photos'],
  { photos, preprocessing, views }: Pick<FitNetworkOptions, 'photos' | 'preprocessing' | 'views'>,
): Promise<void> {
  const network = await openNetwork(onnx, preprocessing.size)
  try {
    const some = photos.slice(0, checked)
    const { photos: again } = await scorePhotos(network, some, { preprocessing, views: views.slice(0, 1) })
    for (const [place, { id, known }] of again.entries()) {
      const { logits, features } = scored[place]!.plain
      const fitted = knownOf(rejector, { logits, features: features! })
      if (known === null || known === undefined || !(Math.abs(known - fitted) <= tolerance))
        throw new TrainerError('EXPORT_KNOWN', `of "${id}" the file says ${known}, and ${fitted} was fitted`)
    }
  } finally {
    await network.release()
  }
}
