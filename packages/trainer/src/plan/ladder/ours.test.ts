import { expect, it } from 'vitest'
import { recipes } from '../../recipe/recipes/index.ts'
import { ours } from '../../recipe/recipes/ours.ts'

const at = (recipe: unknown, path: string): unknown =>
  path.split('.').reduce<unknown>((value, key) => (value as Record<string, unknown> | null)?.[key], recipe)

const marks = Object.values(ours).flatMap((paths, index) => paths.map((path) => ({ path, step: index + 1 })))

it.each(marks)('step $step sets $path, and the step before does not set it so', ({ path, step }) => {
  const value = at(recipes[`step${step}`], path)
  expect(value).toBeDefined()
  if (step > 1) expect(value).not.toEqual(at(recipes[`step${step - 1}`], path))
})
