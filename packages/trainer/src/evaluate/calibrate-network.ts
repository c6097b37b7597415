import type { Preprocessing } from '@flowers/shared/image/preprocessing'
import type { View } from '@flowers/shared/image/view'
import {
  calibrate,
  type CalibrateOptions,
  type Calibration,
  type CalibrationQuality,
  type ScoredPhoto,
} from '../measure/calibrate.ts'
import type { Network } from './network.ts'
import { nonFlowersOf, scoreNonFlowers, type NonFlowers } from './non-flowers.ts'
import type { OnProgress } from '../console/bar.ts'

export interface CalibrateNetworkOptions extends Omit<CalibrateOptions, 'outOfDistribution'> {
  readonly preprocessing: Preprocessing
  readonly views: readonly View[]
  /** Drawn pictures of a kind, as in `scoreNonFlowers`. */
  readonly each?: number | undefined
  /** Of drawn pictures without a flower, those that are measured. */
  readonly onProgress?: OnProgress
}

export interface CalibratedNetwork {
  readonly calibration: Calibration
  readonly quality: CalibrationQuality
  /** Null: no abstention was fitted. */
  readonly nonFlowers: NonFlowers | null
}

/** Calibrates on photos that the network has scored, and measures abstention on pictures without a flower. */
export async function calibrateNetwork(
  network: Network,
  photos: readonly ScoredPhoto[],
  options: CalibrateNetworkOptions,
): Promise<CalibratedNetwork> {
  const { views } = options
  const plain = calibrate(photos, options)
  if (!plain.calibration.abstention) return { ...plain, nonFlowers: null }
  const { onProgress: _, ...quiet } = options
  const outOfDistribution = await scoreNonFlowers(network, { ...quiet, views: views.slice(0, 1), part: 'fit' })
  const calibrated = calibrate(photos, {
    ...options,
    outOfDistribution: outOfDistribution.map((picture) => picture.views[0]!),
  })
  const measured = await scoreNonFlowers(network, { ...options, part: 'measure' })
  return { ...calibrated, nonFlowers: nonFlowersOf(measured, calibrated.calibration) }
}
