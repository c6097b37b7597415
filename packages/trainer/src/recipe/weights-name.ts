/**
 * The weights of a recipe as a model names them: a path tells of the machine that it was on, and no more than its end is
 * of use elsewhere, such as `mine/2/weights.safetensors`.
 */
export const weightsName = <Weights extends string | null>(weights: Weights): Weights =>
  (weights?.split('/').slice(-3).join('/') ?? null) as Weights
