/**
 * P(X <= k) for X binomial(n, p), summed in log space so that large n neither under- nor overflows.
 */
function cumulative(k: number, n: number, p: number): number {
  if (p <= 0) return 1
  if (p >= 1) return k >= n ? 1 : 0
  const odds = Math.log(p) - Math.log1p(-p)
  let term = n * Math.log1p(-p)
  let sum = Math.exp(term)
  for (let i = 1; i <= k; i++) {
    term += Math.log(n - i + 1) - Math.log(i) + odds
    sum += Math.exp(term)
  }
  return Math.min(1, sum)
}

function bisect(decreasing: (p: number) => number, target: number): number {
  let low = 0
  let high = 1
  for (let step = 0; step < 60; step++) {
    const middle = (low + high) / 2
    if (decreasing(middle) > target) low = middle
    else high = middle
  }
  return (low + high) / 2
}

/**
 * Exact one-sided upper bound of a binomial share (Clopper & Pearson 1934): with probability `level`, the share that
 * showed `hits` in `n` trials is at most this. Without hits it is the rule of three, about `3 / n` at level 0.95.
 *
 * @returns in (0, 1]; 1 when nothing is known (`n` = 0 or all hits)
 */
export function upperBound(hits: number, n: number, level: number): number {
  if (hits >= n) return 1
  return bisect((p) => cumulative(hits, n, p), 1 - level)
}

/** Exact two-sided interval of a share (Clopper & Pearson 1934). */
export function clopperPearson(hits: number, n: number, level: number): { low: number; high: number } {
  const oneSided = (1 + level) / 2
  return { low: 1 - upperBound(n - hits, n, oneSided), high: upperBound(hits, n, oneSided) }
}
