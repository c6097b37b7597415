import { z } from 'zod'

/** One test-time view: the picture scaled by `scale` and cut back to the input size, then flipped. */
export const viewSchema = z.strictObject({
  flip: z.enum(['none', 'horizontal', 'vertical']),
  /** 1 is the plain input; above 1 the picture is enlarged and its centre kept. */
  scale: z.number().gte(1),
})

export type View = z.infer<typeof viewSchema>

export const oneView: readonly View[] = [{ flip: 'none', scale: 1 }]

export const threeViews: readonly View[] = [
  { flip: 'none', scale: 1 },
  { flip: 'horizontal', scale: 1 },
  { flip: 'vertical', scale: 1 },
]

const enlarged = 1.15

/**
 * Three flips at two scales. Upright views come first: they are the most confident and agree the most, so the exact
 * exit comes early.
 */
export const sixViews: readonly View[] = [
  { flip: 'none', scale: 1 },
  { flip: 'horizontal', scale: 1 },
  { flip: 'none', scale: enlarged },
  { flip: 'horizontal', scale: enlarged },
  { flip: 'vertical', scale: 1 },
  { flip: 'vertical', scale: enlarged },
]

/** The scales of `views`, each once, in order of first use: what `decodeViews` is asked for. */
export function scalesOf(views: readonly View[]): number[] {
  return [...new Set(views.map((view) => view.scale))]
}
