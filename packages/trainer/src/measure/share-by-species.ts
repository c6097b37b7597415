import { groupBy } from '@flowers/shared/group-by'
import { clopperPearson } from './binomial.ts'
import { bootstrap, exactShare, level, type MeasuredShare } from './bootstrap.ts'

/** The share that hit, of one at least, with the exact interval. */
export const shareOf = (hits: readonly boolean[]): MeasuredShare => exactShare(hits.filter(Boolean).length, hits.length)

/** Of fewer species a bootstrap is too narrow: of a single one it has no width at all. */
const fewestToDraw = 5
/** More than rounding moves a share. */
const rounding = 1e-9

/**
 * The share of photos that hit, with a bootstrap over species: photos of one species are alike, so that many of them say less
 * than as many species would. Where all photos agree, and of fewer than five species, the exact interval of as many species as photos that are
 * each a hit or none. At least one photo.
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
  if (total === 0 || total === photos.length || species.length < fewestToDraw) {
    const value = total / photos.length
    const hits = value * species.length
    const { low } = clopperPearson(Math.floor(hits + rounding), species.length, level)
    const { high } = clopperPearson(Math.ceil(hits - rounding), species.length, level)
    return { value, low, high, count: photos.length }
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
