import type { Classifier } from './classifier.ts'
import type { Turns } from './turns.ts'
import { ServiceError } from '../errors.ts'

/**
 * `empty`: not asked yet, or the last load failed and the next request tries again. `unloaded`: by command, until the
 * command to load.
 */
type State<Model> =
  | { readonly kind: 'empty' | 'unloaded' }
  | { readonly kind: 'loading'; readonly model: Promise<Model> }
  | { readonly kind: 'serving'; readonly model: Model }

export interface SlotOptions<Model> {
  /**
   * Loads the version of the folder that is to serve, then calls `place` with it before any other model is loaded: what
   * fits into the memory is known when the one before has its place.
   */
  readonly open: (place: (model: Model) => void) => Promise<Model>
  /** Called when a model begins to serve in place of `before`. */
  readonly onServe: (model: Model, before: Model | null) => void
  /** Called when a model that served is unloaded. */
  readonly onLeave: (model: Model) => void
  /** Of all slots: versions that answer their last requests. */
  readonly draining: Map<Model, Promise<void>>
  /** Of all slots: one version is replaced at a time, or a reload would hold the memory of all models twice. */
  readonly replacing: Turns
}

/** What a slot needs of a model. */
type Retirable = Pick<Classifier, 'retire' | 'close'>

/** The place of one model of the folder: the version that serves, and those before it that have requests to answer yet. */
export class ModelSlot<Model extends Retirable = Classifier> {
  readonly name: string
  /** What the folder held when it was tried last, see `fingerprint`. */
  tried = ''
  readonly #options: SlotOptions<Model>
  readonly #draining: Map<Model, Promise<void>>
  readonly #turns: Turns
  #state: State<Model> = { kind: 'empty' }

  constructor(name: string, options: SlotOptions<Model>) {
    this.name = name
    this.#options = options
    this.#draining = options.draining
    this.#turns = options.replacing
  }

  get state(): State<Model>['kind'] {
    return this.#state.kind
  }

  /** The version that serves; null: none. */
  get serving(): Model | null {
    return this.#state.kind === 'serving' ? this.#state.model : null
  }

  /** The model, loaded when it is asked for the first time. Rejects with MODEL_UNLOADED, or as `open` does. */
  async ask(): Promise<Model> {
    this.assertAllowed()
    if (this.#state.kind === 'serving') return this.#state.model
    const model = await (this.#state.kind === 'loading' ? this.#state.model : this.#load())
    // The command came while the model was being loaded: it frees the model.
    this.assertAllowed()
    return model
  }

  /** Throws MODEL_UNLOADED when the model was unloaded by command. */
  assertAllowed(): void {
    if (this.#state.kind !== 'unloaded') return
    throw new ServiceError('MODEL_UNLOADED', `The model ${JSON.stringify(this.name)} was unloaded.`)
  }

  /** Ends the state `unloaded`: the model may be asked again. */
  allow(): void {
    if (this.#state.kind === 'unloaded') this.#state = { kind: 'empty' }
  }

  #load(): Promise<Model> {
    let state: State<Model> | undefined
    const isWanted = (): boolean => this.#state === state
    const model = this.#options.open((opened) => {
      if (!isWanted()) return
      this.#state = { kind: 'serving', model: opened }
      this.#options.onServe(opened, null)
    })
    this.#state = state = { kind: 'loading', model }
    // Askers are told; the next one tries again.
    model.catch(() => isWanted() && (this.#state = { kind: 'empty' }))
    return model
  }

  /**
   * Loads a version beside the one that serves, which ends after its last answer. Does nothing where none serves. Rejects
   * as `open` does; the version before goes on then.
   */
  replace(): Promise<void> {
    return this.#turns.take(async () => {
      // What drains is outside the plan of the memory, of whatever slot it is.
      await Promise.all(this.#draining.values())
      const before = this.serving
      if (!before) return
      let isPlaced = false
      const model = await this.#options.open((opened) => {
        // Else it was unloaded in the meantime.
        if (this.serving !== before) return
        isPlaced = true
        this.#state = { kind: 'serving', model: opened }
        this.#options.onServe(opened, before)
      })
      // Not awaited: the one who asked for the reload need not wait for the last requests of the version before.
      if (isPlaced) void this.#drain(before)
      else await model.close()
    })
  }

  /** Frees the model after its last answer; it is not to be asked from now on. */
  async unload(): Promise<void> {
    const state = this.#state
    this.#state = { kind: 'unloaded' }
    if (state.kind === 'serving') {
      this.#options.onLeave(state.model)
      await this.#drain(state.model)
    } else if (state.kind === 'loading') {
      const model = await state.model.catch(() => null)
      if (model) await this.#drain(model)
    }
  }

  /** Ends all versions, after the views that are running. Nothing may be opened any more when it is called. */
  async close(): Promise<void> {
    // Before the replacement that waits for them, and those that it replaced after it.
    await this.#closeDraining()
    await this.#turns.ended()
    await this.#closeDraining()
    const state = this.#state
    const model = state.kind === 'loading' ? await state.model.catch(() => null) : this.serving
    await model?.close()
  }

  async #closeDraining(): Promise<void> {
    await Promise.all([...this.#draining.keys()].map((model) => model.close()))
  }

  #drain(model: Model): Promise<void> {
    const freed = model.retire().finally(() => this.#draining.delete(model))
    this.#draining.set(model, freed)
    return freed
  }
}
