import { describe, expect, it } from 'vitest'
import { parseNames } from './names.ts'

const labels = ['tulip-red', 'tulip-white', 'rose']

const parse = (text: string | Uint8Array) =>
  parseNames(typeof text === 'string' ? Buffer.from(text) : text, labels, 'names.csv')

const rows =
  'label,scientific_name,de,group\ntulip-red,Tulipa,"Tulpe, rot",tulip\ntulip-white,Tulipa,,tulip\nrose,Rosa,,\n'

describe('names.csv gives the groups of labels', () => {
  it.each([
    ['as it is', rows],
    ['with the mark of UTF-8', `\ufeff${rows}`],
    ['with line ends of Windows', rows.replaceAll('\n', '\r\n')],
    ['with semicolons', rows.replace('"Tulpe, rot"', 'Tulpe').replaceAll(',', ';')],
    ['with every field in quotes', rows.replaceAll(/[\w-]+/g, (word) => `"${word}"`).replace('""Tulpe", "rot""', 'x')],
    ['with a header in capitals', rows.replace('label', 'Label').replace('group', 'GROUP')],
    ['with spaces around fields', rows.replaceAll(',tulip\n', ' , tulip \n')],
    ['with empty lines', rows.replaceAll('\n', '\n\n')],
  ])('%s', (_, text) => {
    expect(parse(text)).toEqual({
      groups: new Map([
        ['tulip-red', 'tulip'],
        ['tulip-white', 'tulip'],
      ]),
      strangers: [],
    })
  })

  it('without the column: none', () => {
    expect(parse('label,link\nrose,https://example.org\n')).toEqual({ groups: new Map(), strangers: [] })
    expect(parse('label\n')).toEqual({ groups: new Map(), strangers: [] })
  })

  it('and tells of labels that the model does not have', () => {
    const { groups, strangers } = parse('label,group\noak,tree\nrose,shrub\nelm,tree\n')
    expect([...groups]).toEqual([['rose', 'shrub']])
    expect(strangers).toEqual(['oak', 'elm'])
  })

  it('of labels as odd as a model may have', () => {
    expect([
      ...parseNames(Buffer.from('label,group\n__proto__,a\n"a ""b"",c",b\n'), ['__proto__', 'a "b",c'], '').groups,
    ]).toEqual([
      ['__proto__', 'a'],
      ['a "b",c', 'b'],
    ])
  })
})

it.each([
  ['an empty file', '', 'names.csv has no column "label" in its first line.'],
  ['a file without the column label', 'name,group\nrose,a\n', 'names.csv has no column "label" in its first line.'],
  ['a column twice', 'label,group,Group\nrose,a,b\n', 'names.csv has the column "group" twice.'],
  ['a label twice', 'label,group\nrose,a\n\nrose,b\n', 'names.csv, line 4: the label "rose" is already on line 2.'],
  ['a row without a label', 'label,group\nrose,a\n,b\n', 'names.csv: row 2 has no label.'],
  [
    'a row of another length',
    'label,group\nrose,a,b\n',
    'names.csv, line 2: it has more or fewer fields than the header.',
  ],
  ['a quote that is not closed', 'label,group\n"rose,a\n', /^names\.csv, line \d: a quote is opened and not closed\.$/],
  ['a quote in a field', 'label,group\nro"se,a\n', 'names.csv, line 2: a quote stands in the middle of a field.'],
  ['another encoding', Buffer.from('label,group\nrosé,a\n', 'latin1'), 'names.csv is not UTF-8 text.'],
])('refuses %s', (_, content, message) => {
  const refusal = typeof message === 'string' ? message : expect.stringMatching(message)
  expect(() => parse(content)).toThrow(expect.objectContaining({ code: 'MODEL_NAMES', message: refusal }))
})
