import type { Manifest } from '@flowers/shared/model/manifest'
import { z } from 'zod'
import type { FittingFacts } from '../measure/why-not-fitted.ts'

const recipeSchema = z.object({ data: z.object({ selection: z.enum(['half', 'all']) }) })

/** Which of the validation photos chose the checkpoint of a model: all of them where its recipe does not say. */
export function choosingOf({ recipe }: Pick<Manifest, 'recipe'>): 'half' | 'all' {
  const parsed = recipeSchema.safeParse(recipe)
  return parsed.success ? parsed.data.data.selection : 'all'
}

/** What a model was calibrated on, or too little for that. */
export const fittingFactsOf = (manifest: Pick<Manifest, 'recipe' | 'data'>): FittingFacts => ({
  valid: manifest.data.valid,
  train: manifest.data.train,
  choosing: choosingOf(manifest),
})
