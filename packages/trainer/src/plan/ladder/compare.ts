import { bootstrap, type MeasuredShare } from '../../measure/bootstrap.ts'
import { mean } from '../../measure/mean.ts'

/** Whether answers are right, by photo; one record for each seed. */
export type Answers = readonly Readonly<Record<string, boolean>>[]

/** Share of the runs that get a photo right, by photo. */
function shares(answers: Answers): Map<string, number> {
  const photos = new Set(answers.flatMap((run) => Object.keys(run)))
  return new Map(
    [...photos].map((id) => [id, mean(answers.flatMap((run) => (run[id] === undefined ? [] : [Number(run[id])])))]),
  )
}

/** Accuracy, the mean over seeds; the interval is that of other photos, drawn by the bootstrap. */
export function meanAccuracy(answers: Answers): MeasuredShare {
  const values = [...shares(answers).values()]
  return meanWithInterval(values)
}

/**
 * What accuracy gains from one recipe to the next, as a share: paired, on the photos that both have answered, so that what is
 * easy or hard for both cancels out.
 */
export function gain(before: Answers, after: Answers): MeasuredShare {
  const earlier = shares(before)
  const differences = [...shares(after)].flatMap(([id, share]) => (earlier.has(id) ? [share - earlier.get(id)!] : []))
  return meanWithInterval(differences)
}

function meanWithInterval(values: readonly number[]): MeasuredShare {
  const meanOf = (photos: ArrayLike<number>): number => {
    let sum = 0
    for (let index = 0; index < photos.length; index++) sum += values[photos[index]!]!
    return sum / photos.length
  }
  return bootstrap(values.length, meanOf, { seed: 1 })
}
