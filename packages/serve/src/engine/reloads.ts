import { FlowersError } from '@flowers/shared/errors'
import { resolveModel } from '@flowers/shared/model/package'
import type { ModelSlot } from './model-slot.ts'
import type { EngineParts } from './open-model.ts'
import { Turns } from './turns.ts'
import { every, fingerprint, Settled } from './watch.ts'

/** The name under which the name of the default model is watched: no model has it. */
const theDefault = ''

/** Takes over what changed in the folder of models, on command or by itself. What fails is logged and counted. */
export class Reloads {
  readonly #parts: EngineParts
  readonly #serveByDefault: (name: string) => Promise<void>
  readonly #switching = new Turns()
  /** The name that the file `default` held when it was read last. */
  #default = ''

  /** `serveByDefault`: serves the model of this name by default, if it does not yet. */
  constructor(parts: EngineParts, serveByDefault: (name: string) => Promise<void>) {
    this.#parts = parts
    this.#serveByDefault = serveByDefault
  }

  /** The name of the model that is to answer by default. Rejects with MODEL_MISSING when there is none. */
  async readDefault(): Promise<string> {
    const { modelsDir, model } = this.#parts.config
    return (this.#default = (await resolveModel(modelsDir, model ?? undefined)).name)
  }

  /** Reads the name of the default model and the highest version of each that is loaded. */
  async all(): Promise<void> {
    const slots = this.#serving()
    await Promise.allSettled([this.#switchDefault()])
    await Promise.allSettled(slots.map((slot) => this.replace(slot)))
  }

  /** Replaces the version that serves by the highest. Rejects as `ModelSlot.replace` does. */
  replace(slot: ModelSlot): Promise<void> {
    return this.#attempt(slot.name, () => slot.replace())
  }

  /** Looks every `ms` milliseconds for changes, and takes them over once they stay, until `signal` is aborted. */
  watch(ms: number, signal: AbortSignal): void {
    const settled = new Settled()
    const look = async (): Promise<void> => {
      try {
        const slots = new Map(this.#serving().map((slot) => [slot.name, slot]))
        const tried = new Map([...slots].map(([name, slot]) => [name, slot.tried]))
        const changed = settled.look(await this.#look(slots.keys()), tried.set(theDefault, this.#default))
        await Promise.allSettled(
          changed.map((name) => (name === theDefault ? this.#switchDefault() : this.replace(slots.get(name)!))),
        )
      } catch (error) {
        // A folder that is being changed may lack what was listed; the next look tells.
        this.#parts.log.error({ reason: String(error) }, 'the folder of models cannot be read')
      }
    }
    every(ms, look, signal)
  }

  /** The default name and the state of the version that would serve, for each of `names`. */
  async #look(names: Iterable<string>): Promise<Map<string, string>> {
    const { modelsDir, model } = this.#parts.config
    const found = new Map<string, string>()
    for (const name of [theDefault, ...names]) {
      try {
        const location = await resolveModel(modelsDir, name || (model ?? undefined))
        found.set(name, name === theDefault ? location.name : await fingerprint(location.folder))
      } catch (error) {
        // Gone: what is loaded goes on, and a reload would say no more.
        if (!(error instanceof FlowersError)) throw error
      }
    }
    return found
  }

  #switchDefault(): Promise<void> {
    const work = async (): Promise<void> => this.#serveByDefault(await this.readDefault())
    return this.#switching.take(() => this.#attempt('default', work))
  }

  /** The slots of the models that are loaded. */
  #serving(): ModelSlot[] {
    return [...this.#parts.slots.values()].filter(({ serving }) => serving !== null)
  }

  async #attempt(model: string, work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch (error) {
      const { message, code } = error as FlowersError
      this.#parts.instruments.reloads.inc({ model, result: 'failed' })
      this.#parts.log.error({ model, code, reason: message }, 'reload failed: the model before goes on')
      throw error
    }
  }
}
