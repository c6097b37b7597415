import { describe, expect, it } from 'vitest'
import { isModelName, proposeModelName } from './model-name.ts'

it.each(['mine', 'garden18', '2026', 'a.b_c-d', 'x'.repeat(100)])('%s is a name', (name) => {
  expect(isModelName(name)).toBe(true)
})

it.each(['', 'My Roses', '-x', '.x', '..', 'a/b', 'röslein', 'default', 'mine@2', 'x'.repeat(101)])(
  '"%s" is none',
  (name) => {
    expect(isModelName(name)).toBe(false)
  },
)

describe('a proposal', () => {
  it.each([
    ['My Roses', 'my-roses'],
    ['Röslein', 'roslein'],
    ['  (old) photos!', 'old-photos'],
    ['../garden', 'garden'],
    ['mine@2', 'mine-2'],
    ['default', 'flowers'],
    ['花', 'flowers'],
    ['', 'flowers'],
  ])('for "%s" is %s', (text, name) => {
    expect(proposeModelName(text)).toBe(name)
  })

  it('is a name, whatever it is made of', () => {
    for (const text of ['\n', '---', '.'.repeat(300), `${'a'.repeat(99)} b`, "it's $HOME"])
      expect(isModelName(proposeModelName(text))).toBe(true)
  })
})
