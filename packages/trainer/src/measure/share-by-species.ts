import { groupBy } from '@flowers/shared/group-by'
import { clopperPearson } from './binomial.ts'
import { bootstrap, exactShare, level, type MeasuredShare } from './bootstrap.ts'

/** The share that hit, of one at least, with the exact interval. */
export const shareOf = (hits: readonly boolean[]): MeasuredShare => exactShare(hits.filter(Boolean).length, hits.length)

/**
 * The share of photos that hit, with a bootstrap over species: photos of one species are alike, so that many of them say less
 * than as many species would. Where all photos agree, the exact interval of as many species. At least one photo.
 */
export function shareBySpecies(
  photos: readonly { readonly hit: boolean; readonly species: string }[],
  seed: number,
): MeasuredShare {
  const species = [...groupBy(photos, (photo) => photo.species).values()].map((own) => ({
    photos: own.length,
    hits: own.filter(({ hit }) => hit).length,
  }))
  const total = photos.filter(({ hit }) => hit).length
  if (total === 0 || total === photos.length) {
    const agreed = total === 0 ? 0 : species.length
    const interval = clopperPearson(agreed, species.length, level)
    return { value: total / photos.length, ...interval, count: photos.length }
  }
  const share = (drawn: ArrayLike<number>): number => {
    let [all, hits] = [0, 0]
    for (let place = 0; place < drawn.length; place++) {
      const own = species[drawn[place]!]!
      all += own.photos
      hits += own.hits
    }
    return hits / all
  }
  return { ...bootstrap(species.length, share, { seed }), count: photos.length }
}
