/**
 * Automatic control dependencies, as `tf.function` has them: the order of the program is kept per resource. A write
 * waits for earlier reads and writes of the same resource, a read for the last write; reads run in any order.
 */
export class EffectOrder<Node> {
  readonly #accesses = new Map<unknown, { lastWrite: Node | null; reads: Node[] }>()

  /** The nodes that an access to these resources must wait for. */
  before(resources: readonly unknown[], access: 'read' | 'write'): Node[] {
    const waits = new Set<Node>()
    for (const resource of resources) {
      const past = this.#accesses.get(resource)
      if (past === undefined) continue
      if (past.lastWrite !== null) waits.add(past.lastWrite)
      if (access === 'write') for (const read of past.reads) waits.add(read)
    }
    return [...waits]
  }

  record(resources: readonly unknown[], access: 'read' | 'write', node: Node): void {
    for (const resource of resources) {
      if (access === 'write') this.#accesses.set(resource, { lastWrite: node, reads: [] })
      else {
        const past = this.#accesses.get(resource) ?? { lastWrite: null, reads: [] }
        past.reads.push(node)
        this.#accesses.set(resource, past)
      }
    }
  }

  /** The nodes that must have run when the function returns: the last write of each resource. */
  final(): Node[] {
    const nodes = [...this.#accesses.values()].flatMap(({ lastWrite }) => (lastWrite === null ? [] : [lastWrite]))
    return [...new Set(nodes)]
  }
}
