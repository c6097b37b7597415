import { expect, it } from 'vitest'
import { oneLine, printable } from './printable.ts'

it.each([
  ['\u001b[31mrose\u0007', String.raw`\x1b[31mrose\x07`],
  ['\u009b2Jrose', String.raw`\x9b2Jrose`],
  ['rose\u202egnp.exe', String.raw`rose\u202egnp.exe`],
  ['rose\u200b\ufeff', String.raw`rose\u200b\ufeff`],
  ['over\rwritten', String.raw`over\rwritten`],
])('shows what steers a terminal or cannot be seen: %j', (name, shown) => {
  expect(printable(name)).toBe(shown)
})

it.each(['Gänseblümchen', '牡丹', 'وردة', 'گل‌رز', '👩‍🌾🌹', 'a\nb\tc', '<b>&amp;</b>', '__proto__'])(
  'leaves alone what can be read: %s',
  (name) => {
    expect(printable(name)).toBe(name)
  },
)

it('writes on one line, and as much as is asked for', () => {
  expect(oneLine('line\nbreak\ttab')).toBe(String.raw`line\nbreak\ttab`)
  expect(oneLine('rose', 4)).toBe('rose')
  expect(oneLine('roses', 4)).toBe('ros…')
  expect(oneLine('🌹🌹🌹🌹', 4)).toBe('🌹🌹🌹🌹')
  expect(oneLine('🌹🌹🌹🌹🌹', 4)).toBe('🌹🌹🌹…')
})
