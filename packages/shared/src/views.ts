import { z } from 'zod'

/** One test-time view: the picture scaled by `scale` and cut back to the input size, then flipped. */
export const viewSchema = z.strictObject({
  flip: z.enum(['none', 'horizontal', 'vertical']),
  /** 1 is the plain input; above 1 the picture is enlarged and its centre kept. */
  scale: z.number().gte(1),
})

export type View = z.infer<typeof viewSchema>

/** How many of the views a request uses: all, until the label is provably decided, until it is very likely decided, or one. */
export const viewPolicies = ['full', 'exact', 'fast', 'none'] as const
export type ViewPolicy = (typeof viewPolicies)[number]
