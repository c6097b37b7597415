import type { Manifest } from '@flowers/shared/model/manifest'

/** The input that a request has, and the output that it gives for sure. */
export const mainOutputs = { pixel_values: 'logits', image: 'probabilities' } as const
export type InputName = keyof typeof mainOutputs

/** The output of models that refuse pictures by it: a value for each row or image. */
export const knownOutput = 'known'

/**
 * The outputs that an input of a model gives, in their order. `known` is what the network says of rows of pixels; of images
 * it is a probability, so that a model which has not calibrated it gives none.
 */
export function outputsOf(input: InputName, { known }: Pick<Manifest['calibration'], 'known'>): string[] {
  const tells = input === 'image' ? known?.isCalibrated : known
  return tells ? [mainOutputs[input], knownOutput] : [mainOutputs[input]]
}
