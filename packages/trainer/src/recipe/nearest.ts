import { isRecord } from './record.ts'

/** Every dotted path of a recipe, from the top down. */
export const pathsOf = (node: unknown, above = ''): string[] =>
  isRecord(node)
    ? Object.entries(node).flatMap(([key, value]) => [above + key, ...pathsOf(value, `${above}${key}.`)])
    : []

/** Of a word, a third may be wrong. */
const mostWrong = (word: string): number => Math.max(1, Math.floor(word.length / 3))

/** The paths most like one that is not there, at most three: as a whole, or, if none is, by their last word. */
export function nearestPaths(wrong: string, paths: readonly string[]): string[] {
  const asWhole = nearestBy((path) => path, wrong, paths)
  return asWhole.length > 0 ? asWhole : nearestBy(lastOf, wrong, paths)
}

const lastOf = (path: string): string => path.slice(path.lastIndexOf('.') + 1)

function nearestBy(part: (path: string) => string, wrong: string, paths: readonly string[]): string[] {
  const word = part(wrong).toLowerCase()
  const distances = paths.map((path) => editDistance(word, part(path).toLowerCase()))
  const least = Math.min(...distances)
  return least > mostWrong(word) ? [] : paths.filter((_, place) => distances[place] === least).slice(0, 3)
}

/** How many letters are changed, added, dropped or swapped with their neighbour (optimal string alignment). */
function editDistance(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, column) => column)]
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const isSame = a[i - 1] === b[j - 1]
      const isSwapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      row[j] = Math.min(
        rows[i - 1]![j]! + 1,
        row[j - 1]! + 1,
        rows[i - 1]![j - 1]! + (isSame ? 0 : 1),
        isSwapped ? rows[i - 2]![j - 2]! + 1 : Infinity,
      )
    }
    rows.push(row)
  }
  return rows[a.length]![b.length]!
}
