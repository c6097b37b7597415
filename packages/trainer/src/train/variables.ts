import type { Model, ParameterSpec } from '../model/architecture.ts'
import type { Trained } from '../optim/optimizer.ts'
import { Variable } from '@flowers/tensorflow'

/** Kinds of arrays a run keeps for a parameter; the names are used in saved states. */
export const variableKinds = ['weight', 'm', 'v', 'average', 'gradient'] as const
export type VariableKind = (typeof variableKinds)[number]

/** Every array that training updates in place, and nothing else a step depends on. */
export class TrainingVariables {
  /** Whether gradients are accumulated before an update. */
  readonly accumulates: boolean
  readonly #kinds: Readonly<Record<VariableKind, Map<string, Variable>>>

  /**
   * `weight` for all parameters; `m` and `v` (the moments of Adam: Kingma & Ba 2015) for the trained ones, zero;
   * `average` for the averaged ones, equal to the weights; `gradient` for the trained ones if gradients are accumulated, zero.
   */
  constructor(
    model: Model,
    trained: readonly ParameterSpec[],
    values: ReadonlyMap<string, Float32Array>,
    averaged: readonly ParameterSpec[],
    accumulates = false,
  ) {
    this.accumulates = accumulates
    const make = (kind: VariableKind, specs: readonly ParameterSpec[], filled: boolean) =>
      new Map(
        specs.map(({ name, shape }) => {
          const data = filled ? { data: values.get(name)! } : {}
          return [name, new Variable(`${kind}/${name}`, { shape: [...shape], dtype: 'float32', ...data })]
        }),
      )
    this.#kinds = {
      weight: make('weight', model.parameters, true),
      m: make('m', trained, false),
      v: make('v', trained, false),
      average: make('average', averaged, true),
      gradient: make('gradient', accumulates ? trained : [], false),
    }
  }

  weight(name: string): Variable {
    return this.#find('weight', name)
  }

  /** The moving averages by the names of their parameters. */
  averages(): ReadonlyMap<string, Variable> {
    return this.#kinds.average
  }

  trained(name: string): Trained {
    return { weight: this.weight(name), m: this.#find('m', name), v: this.#find('v', name) }
  }

  /** The gradient accumulated so far. */
  gradient(name: string): Variable {
    return this.#find('gradient', name)
  }

  /** Drops the gradients accumulated so far. */
  clearGradients(): void {
    for (const variable of this.#kinds.gradient.values()) variable.clear()
  }

  /** The array that validation and export use: the average if there is one. */
  best(name: string): Variable {
    return this.#kinds.average.get(name) ?? this.weight(name)
  }

  *entries(): Generator<readonly [VariableKind, string, Variable]> {
    for (const kind of variableKinds) for (const [name, variable] of this.#kinds[kind]) yield [kind, name, variable]
  }

  dispose(): void {
    for (const [, , variable] of this.entries()) variable.dispose()
  }

  #find(kind: VariableKind, name: string): Variable {
    const variable = this.#kinds[kind].get(name)
    if (!variable) throw new Error(`no ${kind} of ${name}`)
    return variable
  }
}
