import { describe, expect, it } from 'vitest'
import { testRecipe } from '../testing/test-recipe.ts'
import { nearestPaths, pathsOf } from './nearest.ts'

const paths = ['minutes', ...pathsOf(testRecipe('quick'))]

it('a recipe has a path for whatever can be set', () => {
  expect(paths).toEqual(expect.arrayContaining(['seed', 'model', 'model.head.kind', 'phases.full.epochs']))
})

describe('what is near', () => {
  it.each([
    ['minuts', ['minutes']],
    ['miuntes', ['minutes']],
    ['Minutes', ['minutes']],
    ['sed', ['seed']],
    ['phases.full.epoch', ['phases.full.epochs']],
    ['phase.full.size', ['phases.full.size']],
    ['learningrate', ['phases.head.learningRate', 'phases.full.learningRate', 'phases.fixres.learningRate']],
    ['epochs', ['phases.head.epochs', 'phases.full.epochs', 'phases.fixres.epochs']],
    ['model.arch', []],
    ['xyz', []],
    ['', []],
  ])('to %s is %j', (wrong, near) => {
    expect(nearestPaths(wrong, paths)).toEqual(near)
  })
})
