import { groupBy } from '@flowers/shared/group-by'
import { Random } from '@flowers/shared/random'

/** Where a photo of others comes from. */
export interface Origin {
  /** What is measured together: the first folder below DATA, as `things` or `plants`. */
  readonly group: string
  /** What is in one fold alone: a species, or the photo itself where a folder is a mixture. */
  readonly species: string
}

/** With fewer folders side by side, each is a mixture such as `things`. */
const fewestSpecies = 5

/**
 * Where photos of others come from, by their paths below DATA. A folder below a first folder (`plants/viola`) is a species; the
 * photos of a first folder itself (`things`) are a mixture, each of its own kind. Where there are no deeper folders but
 * several side by side, these are species of one group, which has the name of DATA.
 *
 * @param ids paths below DATA with forward slashes
 */
export function originsOf(ids: readonly string[], name: string): Origin[] {
  const folders = ids.map((id) => id.split('/').slice(0, -1))
  const isDeep = folders.some(({ length }) => length > 1)
  const firsts = new Set(folders.flatMap(([first]) => first ?? []))
  const areSpecies = !isDeep && firsts.size >= fewestSpecies
  return ids.map((id, index) => {
    const path = folders[index]!
    if (areSpecies) return { group: name, species: path[0] ?? id }
    return { group: path[0] ?? name, species: path.length > 1 ? path.join('/') : id }
  })
}

/**
 * The fold of each photo, in [0, count): a species is in one fold alone, and the photos of each group are spread over the
 * folds as evenly as that allows, drawn by the seed.
 */
export function foldsOf(origins: readonly Origin[], count: number, seed: number): number[] {
  const random = new Random(seed, 'folds')
  const folds = Array<number>(origins.length).fill(0)
  for (const places of groupBy(origins.keys(), (place) => origins[place]!.group).values()) {
    const species = [...groupBy(places, (place) => origins[place]!.species).values()]
    const sizes = Array<number>(count).fill(0)
    // The largest first, so that the last ones level the folds.
    for (const own of random.shuffle(species).toSorted((a, b) => b.length - a.length)) {
      const fold = sizes.indexOf(Math.min(...sizes))
      sizes[fold]! += own.length
      for (const place of own) folds[place] = fold
    }
  }
  return folds
}
