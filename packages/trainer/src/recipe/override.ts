import { isRecord } from './record.ts'
import type { RecipeInput } from './schema.ts'

/** What may be changed of a recipe: any of its fields, at any depth. */
type Changes<T> = T extends readonly unknown[] ? T : T extends object ? { [K in keyof T]?: Changes<T[K]> } : T

/** Field by field; a list is taken whole, and so is an object of another `kind`, which has other fields. */
export function override(base: unknown, change: unknown): unknown {
  if (!isRecord(base) || !isRecord(change)) return change
  if (change['kind'] !== undefined && change['kind'] !== base['kind']) return change
  const merged = Object.entries(change).map(([key, value]) => [key, override(base[key], value)] as const)
  return { ...base, ...Object.fromEntries(merged) }
}

/** A recipe that is another one but for its changes; `base` may lack what the changes bring. */
export const derive = (base: Changes<RecipeInput>, changes: Changes<RecipeInput>): RecipeInput =>
  override(base, changes) as RecipeInput
