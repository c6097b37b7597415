import type { ClassifyAnswer } from '@flowers/client/client'

/** `oxeye-daisy` as a person writes it: `Oxeye daisy`. */
export function flowerName(label: string): string {
  const words = label.replaceAll(/[-_]+/g, ' ').trim()
  return words === '' ? label : words.charAt(0).toUpperCase() + words.slice(1)
}

/** A probability in percent; never a certainty: `over 99 %`, `under 1 %`. */
export function percent(share: number): string {
  if (share >= 0.995) return 'over 99 %'
  return share < 0.005 ? 'under 1 %' : `${Math.round(100 * share)} %`
}

/** What a calibrated probability means: it was measured on pictures of the model's flowers. */
export function meaning(score: number): string {
  return `When I say ${percent(score)}, I am right about ${inHundred(score)} times in 100 pictures of my flowers.`
}

/**
 * A noun with its article: `a tulip`, `an iris`. None before a plural (`canterbury bells`) and before what is not written
 * in Latin letters.
 */
function withArticle(noun: string): string {
  if (!/^[a-z]/.test(noun) || /[^isuo]s$/.test(noun)) return noun
  return `${/^(?!eu|uni)[aeiou]/.test(noun) ? 'an' : 'a'} ${noun}`
}

/** What the answer is headed by, as sure as it is. */
export function heading({ level, predictions, group, set }: Named): string {
  const best = predictions[0]!.label
  if (level === 'none') return 'I do not know this one'
  if (level === 'sure') return flowerName(best)
  if (!isGroup({ group, set })) return `Perhaps ${withArticle(quoted(best))}`
  const named = withArticle(quoted(group!))
  return `${named.charAt(0).toUpperCase()}${named.slice(1)}; of the sort I am not sure`
}

/** Whether the answer is a group of sorts. With one label in the set it is not the sort that is unsure. */
export function isGroup({ group, set }: Pick<ClassifyAnswer, 'group' | 'set'>): boolean {
  return group !== null && set?.length !== 1
}

type Named = Pick<ClassifyAnswer, 'level' | 'predictions' | 'group' | 'set'>

/** What is said of a model whose probabilities nobody has held against photos, or whose calibration was withdrawn. */
export const unmeasured =
  'How often such an answer is right has not been measured yet: the percentages say which name is likelier, not how sure it is.'

/** How far it is one of the flowers at all. Empty where the model cannot tell. */
export function knownSentence({ known }: Pick<ClassifyAnswer, 'known'>): string {
  if (known === null) return ''
  return `Of pictures that look to me like this one, about ${inHundred(known)} in 100 show one of my flowers, if half of all pictures do.`
}

function inHundred(share: number): number {
  return Math.min(99, Math.max(1, Math.round(100 * share)))
}

/**
 * The conformal set, which holds for pictures of the model's flowers: `If it is one of my flowers, it is rose or tulip with
 * 95 % certainty.` Empty where the model has no sets.
 */
export function setSentence({ set, details }: Pick<ClassifyAnswer, 'set' | 'details'>): string {
  const coverage = details?.coverage
  if (coverage === null || coverage === undefined || set === null || set.length === 0) return ''
  const certainty = `If it is one of my flowers, then with ${Number((100 * coverage).toFixed(1))} % certainty`
  if (set.length === 1) return `${certainty} ${quoted(set[0]!)}.`
  if (set.length <= listed) return `${certainty} one of ${set.length}: ${either(set)}.`
  const rest = set.length - listed
  return `${certainty} one of ${set.length}: ${set.slice(0, listed).map(quoted).join(', ')} and ${rest} more.`
}

/** Members of a set that are named. */
const listed = 6

function quoted(label: string): string {
  return flowerName(label).toLowerCase()
}

function either(labels: readonly string[]): string {
  return `${labels.slice(0, -1).map(quoted).join(', ')} or ${quoted(labels.at(-1)!)}`
}

type Details = NonNullable<ClassifyAnswer['details']>

const flips = { none: '', horizontal: 'mirrored', vertical: 'upside down' } as const

/** How a view shows the picture. */
export function viewName({ flip, scale }: Pick<Details['views'][number], 'flip' | 'scale'>): string {
  const parts = [flips[flip], scale > 1 ? 'closer' : ''].filter((part) => part !== '')
  return parts.length === 0 ? 'as it is' : parts.join(', ')
}

/** Why this number of views was used. */
export function viewsSentence({ used, of, policy }: ClassifyAnswer['views']): string {
  if (of === 1) return 'I looked once.'
  if (used === of) return `I looked ${of} times, each time a little differently.`
  // The page leaves the choice to the service, which steps down to this under load, or always where FLOWERS_TTA says so.
  if (policy === 'none') return 'I looked once only, as I do when I am busy.'
  const rest = of - used === 1 ? 'One more look' : `${of - used} more looks`
  const times = used === 1 ? 'once' : `${used} times`
  return policy === 'exact'
    ? `I looked ${times}. ${rest} could not have changed the name.`
    : `I looked ${times}. ${rest} would hardly have changed the name.`
}

/** Milliseconds as a person says them. */
export function duration(milliseconds: number): string {
  if (milliseconds >= 999.5) return `${(milliseconds / 1000).toFixed(1)} s`
  return milliseconds < 1 ? 'under 1 ms' : `${Math.round(milliseconds)} ms`
}

/** What took how long. */
export function timingSentence({ decode, queue, infer, total }: ClassifyAnswer['timings']): string {
  const waiting = queue >= 10 ? ` ${duration(queue)} waiting,` : ''
  return `${duration(total)} in all: ${duration(decode)} reading the picture,${waiting} ${duration(infer)} looking.`
}

/** What is read out when the answer is there. */
export function announcement(answer: ClassifyAnswer): string {
  const { label, score } = answer.predictions[0]!
  const { level, calibrated } = answer
  const share = calibrated ? `, ${percent(score)}` : ''
  if (level === 'none') return [`${heading(answer)}.`, `The nearest is ${quoted(label)}${share}.`].join(' ')
  const named = isGroup(answer) ? `${heading(answer)}. The likeliest is ${quoted(label)}` : heading(answer)
  return [`${named}${share}.`, calibrated ? '' : unmeasured, setSentence(answer)]
    .filter((text) => text !== '')
    .join(' ')
}
