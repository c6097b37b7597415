/** A share as `12.3 %`. */
export const percent = (share: number): string => `${(100 * share).toFixed(1)} %`

/** A share with its interval: `81.2 % (78.4 % to 83.9 %)`. */
export const withInterval = ({
  value,
  low,
  high,
}: {
  readonly value: number
  readonly low: number
  readonly high: number
}): string => `${percent(value)} (${percent(low)} to ${percent(high)})`

/** Seconds as `42 s`, `3 min 05 s` or `2 h 07 min`. */
export function duration(seconds: number): string {
  const whole = Math.round(seconds)
  if (whole < 60) return `${whole} s`
  const pad = (value: number): string => String(value).padStart(2, '0')
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${pad(whole % 60)} s`
  return `${Math.floor(whole / 3600)} h ${pad(Math.floor((whole % 3600) / 60))} min`
}

/** `1 photo`, `2 photos`. */
export const plural = (count: number, noun: string, nouns = `${noun}s`): string =>
  `${count} ${count === 1 ? noun : nouns}`
