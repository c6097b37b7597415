import { readFields } from './proto.ts'

/** An input argument of an operation: one tensor, or a list of as many as an attribute says. */
export interface InputArgument {
  /** Name of the attribute with the length of the list (`N`) or the types of its members (`T`); null: one tensor. */
  readonly listAttribute: string | null
}

/** What the tracer needs to know about an operation. */
export interface OpDefinition {
  readonly inputs: readonly InputArgument[]
  /** Names of its attributes. */
  readonly attributes: ReadonlySet<string>
  /** Has an effect or depends on state, so its order counts. */
  readonly stateful: boolean
}

const text = (value: number | Uint8Array): string => Buffer.from(value as Uint8Array).toString()

/** Reads `OpDef`: input_arg 2 (in it number_attr 5 and type_list_attr 6), attr 4 (in it name 1), is_stateful 17. */
export function readOpDefinition(message: Uint8Array): OpDefinition {
  const inputs: InputArgument[] = []
  const attributes = new Set<string>()
  let stateful = false
  for (const { number, value } of readFields(message)) {
    if (number === 2) inputs.push(readInput(value as Uint8Array))
    if (number === 4) attributes.add(readName(value as Uint8Array))
    if (number === 17) stateful = value !== 0
  }
  return { inputs, attributes, stateful }
}

function readName(message: Uint8Array): string {
  for (const { number, value } of readFields(message)) if (number === 1) return text(value)
  return ''
}

function readInput(message: Uint8Array): InputArgument {
  let listAttribute: string | null = null
  for (const { number, value } of readFields(message)) if (number === 5 || number === 6) listAttribute = text(value)
  return { listAttribute }
}

/**
 * How many tensors each input argument takes of `count` given ones: a list takes what its attribute says, or, when only
 * one list has no such attribute, what is left.
 */
export function splitInputs(
  inputs: readonly InputArgument[],
  count: number,
  lengths: ReadonlyMap<string, number>,
): number[] {
  const known = inputs.map(({ listAttribute }) => (listAttribute === null ? 1 : (lengths.get(listAttribute) ?? null)))
  const rest = count - known.reduce<number>((sum, length) => sum + (length ?? 0), 0)
  return known.map((length) => length ?? Math.max(rest, 0))
}
