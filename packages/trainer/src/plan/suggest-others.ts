/** The folder of DATA for pictures of anything else. */
const folder = 'others'
/** So many show how a model answers to what it does not know. */
const enough = 100

/**
 * Asks for pictures of anything else where there are fewer than a hundred; null: there are enough. `count`: those that DATA
 * has.
 */
export function suggestOthers(count: number): string | null {
  if (count >= enough) return null
  const some = count === 0 ? '' : ` (there ${count === 1 ? 'is one' : `are ${count}`})`
  return `tip: about a hundred photos of anything else${some}, such as other plants, things and people, in a folder ${folder}/ beside the classes are kept aside, to measure how a model answers to what it does not know`
}
