import { beforeEach, describe, expect, it, vi } from 'vitest'
import { ModelSlot } from './model-slot.ts'
import { Turns } from './turns.ts'

/** A version of a model whose requests end when the test says so. */
class FakeModel {
  closed = false
  answerLast = (): void => {}
  readonly #answered = new Promise<void>((resolve) => (this.answerLast = resolve))

  async retire(): Promise<void> {
    await this.#answered
    this.closed = true
  }

  async close(): Promise<void> {
    this.closed = true
    this.answerLast()
  }
}

let opening: { place: (model: FakeModel) => void; open: (model: FakeModel) => void; fail: (error: Error) => void }[]
const onServe = vi.fn<(model: FakeModel, before: FakeModel | null) => void>()
const onLeave = vi.fn<(model: FakeModel) => void>()
let slot: ModelSlot<FakeModel>
let other: ModelSlot<FakeModel>

beforeEach(() => {
  opening = []
  vi.clearAllMocks()
  const open = (place: (model: FakeModel) => void): Promise<FakeModel> =>
    new Promise((resolve, reject) => {
      const opened = (model: FakeModel): void => {
        place(model)
        resolve(model)
      }
      opening.push({ place, open: opened, fail: reject })
    })
  const options = { open, onServe, onLeave, draining: new Map(), replacing: new Turns() }
  slot = new ModelSlot('rose', options)
  other = new ModelSlot('daisy', options)
})

const settle = (): Promise<unknown> => new Promise(setImmediate)
const unloaded: unknown = expect.objectContaining({ code: 'MODEL_UNLOADED' })

async function served(): Promise<FakeModel> {
  const model = new FakeModel()
  const asked = slot.ask()
  opening.shift()!.open(model)
  expect(await asked).toBe(model)
  return model
}

it('loads once, for all who ask', async () => {
  expect([slot.state, slot.serving]).toEqual(['empty', null])
  const asked = [slot.ask(), slot.ask()]
  expect([slot.state, opening.length]).toEqual(['loading', 1])
  const model = new FakeModel()
  opening[0]!.open(model)
  expect(await Promise.all(asked)).toEqual([model, model])
  expect([slot.state, slot.serving, await slot.ask()]).toEqual(['serving', model, model])
  expect(onServe.mock.calls).toEqual([[model, null]])
})

it('is empty after a load that failed, so that the next request tries again', async () => {
  const asked = slot.ask()
  opening.shift()!.fail(new Error('broken'))
  await expect(asked).rejects.toThrow('broken')
  expect(slot.state).toBe('empty')
  await served()
})

describe('replace', () => {
  it('puts the new version in place, and frees the one before after its last answer', async () => {
    const before = await served()
    const replaced = slot.replace()
    await settle()
    const model = new FakeModel()
    opening.shift()!.open(model)
    await replaced
    expect([slot.serving, before.closed]).toEqual([model, false])
    expect(onServe.mock.calls.at(-1)).toEqual([model, before])
    // A version more would hold the memory of three.
    const again = slot.replace()
    await settle()
    expect(opening).toHaveLength(0)
    before.answerLast()
    await settle()
    expect([before.closed, opening.length]).toEqual([true, 1])
    opening[0]!.fail(new Error('broken'))
    await expect(again).rejects.toThrow('broken')
    expect(slot.serving).toBe(model)
  })

  it('waits for versions of other models that still drain', async () => {
    const rose = await served()
    const daisy = new FakeModel()
    const asked = other.ask()
    opening.at(-1)!.open(daisy)
    await asked
    const both = [slot.replace(), other.replace()]
    await settle()
    opening.at(-1)!.open(new FakeModel())
    await both[0]
    await settle()
    const opened = opening.length
    expect(other.serving).toBe(daisy)
    rose.answerLast()
    await settle()
    expect(opening).toHaveLength(opened + 1)
    opening.at(-1)!.open(new FakeModel())
    await both[1]
    daisy.answerLast()
  })

  it('frees what it loaded when the model was unloaded meanwhile', async () => {
    const before = await served()
    const replaced = slot.replace()
    await settle()
    const freed = slot.unload()
    before.answerLast()
    await freed
    const model = new FakeModel()
    opening[0]!.open(model)
    await replaced
    expect([slot.state, model.closed]).toEqual(['unloaded', true])
    expect(onServe).toHaveBeenCalledTimes(1)
  })

  it('does nothing where nothing serves', async () => {
    await slot.replace()
    expect(opening).toHaveLength(0)
  })
})

describe('unload', () => {
  it('refuses from then on, and frees the model after its last answer', async () => {
    const model = await served()
    const freed = slot.unload()
    expect(onLeave.mock.calls).toEqual([[model]])
    await expect(slot.ask()).rejects.toEqual(unloaded)
    expect(model.closed).toBe(false)
    model.answerLast()
    await freed
    expect(model.closed).toBe(true)
    slot.allow()
    await served()
  })

  it('frees a model that is being loaded, which never serves', async () => {
    const asked = slot.ask()
    const freed = slot.unload()
    slot.allow()
    const next = slot.ask()
    const model = new FakeModel()
    model.answerLast()
    opening[0]!.open(model)
    await Promise.all([asked, freed])
    expect([slot.state, model.closed]).toEqual(['loading', true])
    opening[1]!.open(new FakeModel())
    await next
    expect(onServe).toHaveBeenCalledTimes(1)
  })

  it('tells those who wait for the load', async () => {
    const asked = slot.ask()
    const freed = slot.unload()
    const model = new FakeModel()
    model.answerLast()
    opening[0]!.open(model)
    await expect(asked).rejects.toEqual(unloaded)
    await freed
  })
})

it('close ends the version that serves and those before it', async () => {
  const before = await served()
  const replaced = slot.replace()
  await settle()
  const model = new FakeModel()
  opening[0]!.open(model)
  await replaced
  await slot.close()
  expect([before.closed, model.closed]).toEqual([true, true])
})
