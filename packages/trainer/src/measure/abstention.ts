/**
 * Threshold of the in-distribution score below which no label is named: the largest one under which at most `falseAlarmShare` of the
 * right answers fall.
 *
 * @param scores in-distribution scores, one a photo
 * @returns the threshold and the number of right answers it stands on, or null when that share is less than one of them
 */
export function abstentionThreshold(
  scores: ArrayLike<number>,
  right: readonly boolean[],
  falseAlarmShare: number,
): { threshold: number; count: number } | null {
  const sorted = Array.from(scores)
    .filter((_, photo) => right[photo])
    .sort((a, b) => a - b)
  const alarms = Math.floor(sorted.length * falseAlarmShare + 1e-9)
  if (alarms < 1) return null
  return { threshold: sorted[alarms] as number, count: sorted.length }
}
