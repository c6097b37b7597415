import { groupBy } from '@flowers/shared/group-by'

/** Small letters of Cyrillic and Greek that look like Latin ones, and those. */
const foreign = 'аеіјорсухѕԁһονα'
const latin = 'aeijopcyxsdhova'

/** What two names may differ in and still be meant for one, and a name without it. In the order in which they are taken off. */
const differences = [
  { what: 'the form of their Unicode letters', without: (name: string) => name.normalize('NFKC').normalize('NFC') },
  { what: 'characters that cannot be seen', without: (name: string) => name.replace(/\p{Cf}|(?!\s)\p{Cc}/gu, '') },
  { what: 'capital letters', without: (name: string) => name.toLowerCase() },
  {
    what: 'letters of other alphabets that look alike',
    without: (name: string) => name.replace(/\p{L}/gu, (letter) => latin[foreign.indexOf(letter)] ?? letter),
  },
  {
    what: 'the number in front',
    without: (name: string) => name.replace(/^\s*\d+[\s_.)-]*(?=\p{L})/u, '').replace(/^0+(?=\d+$)/, ''),
  },
  { what: 'spaces, dashes or underscores', without: (name: string) => name.replace(/[\s_\p{Pd}]+/gu, '') },
] as const

const bare = (name: string, kept?: (typeof differences)[number]): string =>
  differences.reduce((text, difference) => (difference === kept ? text : difference.without(text)), name)

export interface Twins {
  /** At least two. */
  readonly labels: readonly string[]
  /** What they differ in, and in nothing else: `capital letters`. */
  readonly differIn: string
}

/** Labels that are nearly the same, so that they may be one class under two names; in the order of the first of each. */
export function twinLabels(labels: readonly string[]): Twins[] {
  return [...groupBy(labels, (label) => bare(label))].flatMap(([key, twins]) => {
    // A name of nothing else, such as `-`, is like no other.
    if (twins.length < 2 || key === '') return []
    const remain = (nameOf: (label: string) => string): boolean => new Set(twins.map(nameOf)).size > 1
    const needed = differences.filter((difference) => remain((label) => bare(label, difference)))
    // A space that does not break is another form of a space and a space.
    const enough = differences.findLast(({ without }) => !remain(without))
    const named = needed.length > 0 || enough === undefined ? needed : [enough]
    return [{ labels: twins, differIn: named.map(({ what }) => what).join(' and ') }]
  })
}
