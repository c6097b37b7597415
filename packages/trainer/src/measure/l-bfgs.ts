/** A function to minimise: returns its value at a point and writes its gradient there. */
export type Objective = (point: Float64Array, gradient: Float64Array) => number

/** Steps that the curvature is read from. */
const memory = 10
/** Share of the decrease which the slope promises that a step must bring (Armijo's condition). */
const sufficient = 1e-4
const mostHalvings = 40

interface Pair {
  readonly step: Float64Array
  readonly change: Float64Array
  /** 1 over the inner product of both. */
  readonly rho: number
}

/**
 * Minimises a smooth convex function by limited-memory BFGS (Liu and Nocedal, "On the limited memory BFGS method for
 * large scale optimization", 1989) with a backtracking line search. Deterministic. Yields before each step, so that a
 * caller may let others have a turn.
 *
 * @param tolerance ends when no value of the gradient is larger
 * @returns where it ended, and after how many steps
 */
export function* minimizing(
  objective: Objective,
  start: Float64Array,
  { tolerance, steps }: { readonly tolerance: number; readonly steps: number },
): Generator<void, { point: Float64Array; steps: number }> {
  let point = Float64Array.from(start)
  let gradient = new Float64Array(point.length)
  let value = objective(point, gradient)
  const pairs: Pair[] = []
  for (let taken = 0; taken < steps; taken++) {
    if (largest(gradient) <= tolerance) return { point, steps: taken }
    yield
    const direction = downhill(gradient, pairs)
    const slope = dot(direction, gradient)
    // Without curvature yet, a first step of length 1 at most.
    let length = pairs.length === 0 ? Math.min(1, 1 / Math.sqrt(-slope)) : 1
    const next = new Float64Array(point.length)
    const nextGradient = new Float64Array(point.length)
    let nextValue = Infinity
    let halvings = 0
    for (; halvings < mostHalvings; halvings++) {
      for (let i = 0; i < next.length; i++) next[i] = point[i]! + length * direction[i]!
      nextValue = objective(next, nextGradient)
      if (nextValue <= value + sufficient * length * slope) break
      length /= 2
    }
    // No step brings anything beyond rounding.
    if (halvings === mostHalvings) return { point, steps: taken }
    const step = next.map((coordinate, i) => coordinate - point[i]!)
    const change = nextGradient.map((coordinate, i) => coordinate - gradient[i]!)
    const curvature = dot(step, change)
    if (curvature > 0) pairs.push({ step, change, rho: 1 / curvature })
    if (pairs.length > memory) pairs.shift()
    ;[point, gradient, value] = [next, nextGradient, nextValue]
  }
  return { point, steps }
}

/** The result of work that pauses, without its pauses. */
export function finish<T>(work: Generator<void, T>): T {
  for (;;) {
    const { done, value } = work.next()
    if (done) return value
  }
}

/** Minus the inverse of the curvature times the gradient, by the two loops of Nocedal (1980). */
function downhill(gradient: Float64Array, pairs: readonly Pair[]): Float64Array {
  const direction = gradient.map((value) => -value)
  const shares = pairs.map(() => 0)
  for (let index = pairs.length - 1; index >= 0; index--) {
    const { step, change, rho } = pairs[index]!
    shares[index] = rho * dot(step, direction)
    add(direction, change, -shares[index]!)
  }
  const last = pairs.at(-1)
  if (last) {
    const scale = 1 / (last.rho * dot(last.change, last.change))
    for (let i = 0; i < direction.length; i++) direction[i]! *= scale
  }
  for (const [index, { step, change, rho }] of pairs.entries()) {
    add(direction, step, shares[index]! - rho * dot(change, direction))
  }
  return direction
}

function add(sum: Float64Array, values: Float64Array, factor: number): void {
  for (let i = 0; i < sum.length; i++) sum[i]! += factor * values[i]!
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!
  return sum
}

const largest = (values: Float64Array): number => values.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
