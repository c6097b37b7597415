import type { RecipeInput } from '../schema.ts'
import { demo } from './demo.ts'
import { flowers102 } from './flowers102.ts'
import { garden18 } from './garden18.ts'
import { step1, step2, step3, step4, step5 } from './ladder.ts'
import { quick } from './quick.ts'
import { report } from './report.ts'

/** Every recipe that comes with the trainer, by name. */
export const recipes: Readonly<Record<string, RecipeInput>> = {
  demo,
  flowers102,
  garden18,
  quick,
  report,
  step1,
  step2,
  step3,
  step4,
  step5,
}
