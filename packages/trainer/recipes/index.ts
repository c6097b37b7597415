import type { Recipe } from '../src/recipe.ts'
import { demo } from './demo.ts'
import { garden18 } from './garden18.ts'
import { flowers102 } from './flowers102.ts'
import { report } from './report.ts'

/** Every recipe that comes with the trainer, by name. */
export const recipes: Readonly<Record<string, Recipe>> = { demo, flowers102, garden18, report }
