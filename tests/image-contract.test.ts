import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startService, type RunningService } from '@flowers/serve/testing/service'
import type { Canvas } from '@flowers/shared/image/canvas'
import type { ProblemCode } from '@flowers/serve/errors'
import { decodeCenter } from '@flowers/shared/image/preprocess'
import { imagenetNormalization } from '@flowers/shared/image/preprocessing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { inputs, type Sent } from './image-contract-inputs.ts'
import { packageTemplateModel } from './template-model.ts'

/** A row of the table: an input and its declared answer. */
interface Case {
  readonly input: string
  readonly status: number
  readonly code?: ProblemCode
  /** Name of what the model sees, in goldens.json; for those that are answered. */
  readonly golden?: string
  /** How far a codec may be from it, in levels of 255. */
  readonly within?: number
}

/** Mean colours of `side` x `side` parts of the picture as the model sees it, row by row, and its label. */
interface Golden {
  readonly label: string
  readonly colours: number[]
}

async function fixture<T>(name: string): Promise<T> {
  return JSON.parse(
    await readFile(fileURLToPath(new URL(`fixtures/image-contract/${name}`, import.meta.url)), 'utf8'),
  ) as T
}

const side = 4
const preprocessing = { size: 32, cropFraction: 0.8, kernel: 'bicubic', ...imagenetNormalization } as const
const cases = await fixture<Case[]>('cases.json')
const goldens = await fixture<Record<string, Golden>>('goldens.json')

let models: string
let service: RunningService

beforeAll(async () => {
  models = await mkdtemp(join(tmpdir(), 'flowers-images-'))
  await packageTemplateModel(models)
  service = await startService({ MODELS_DIR: models, MODEL: 'templates' })
})
afterAll(async () => {
  await service.close()
  await rm(models, { recursive: true })
})

async function post({ bytes, name = 'picture', type = '', bare = false }: Sent): Promise<Response> {
  const content = Uint8Array.from(bytes)
  if (bare)
    return fetch(`${service.url}/classify`, { method: 'POST', headers: { 'content-type': type }, body: content })
  const body = new FormData()
  body.append('img', new File([content], name, { type }))
  return fetch(`${service.url}/classify`, { method: 'POST', body })
}

function meanColours({ pixels, size }: Canvas): number[] {
  const means = new Float64Array(side * side * 3)
  const part = size / side
  for (const [index, value] of pixels.entries()) {
    const place = Math.floor(index / 3)
    const row = Math.floor(place / size / part)
    const column = Math.floor((place % size) / part)
    const cell = (row * side + column) * 3 + (index % 3)
    means[cell] = means[cell]! + value / part ** 2
  }
  return [...means].map(Math.round)
}

describe('POST /classify', () => {
  it('is tested with each input of the table', () => {
    expect(cases.map(({ input }) => input).sort()).toEqual(Object.keys(inputs).sort())
  })

  it.each(cases)('$status for: $input', async ({ input, status, code, golden, within }) => {
    const sent = await inputs[input]!()
    const response = await post(sent)
    const body = (await response.json()) as { code?: ProblemCode; predictions?: { label: string }[] }
    expect([response.status, body.code]).toEqual([status, code])
    if (golden === undefined) return
    const { label, colours } = goldens[golden]!
    expect(body.predictions![0]!.label).toBe(label)
    const seen = meanColours(await decodeCenter(sent.bytes, preprocessing))
    const furthest = Math.max(...seen.map((value, index) => Math.abs(value - colours[index]!)))
    expect(furthest, `${seen.join()} instead of ${colours.join()}`).toBeLessThanOrEqual(within!)
  })

  it('tells pictures apart: no golden is within the tolerances of another', () => {
    const named = Object.entries(goldens)
    for (const [name, { colours }] of named) {
      const others = named.filter(([other]) => other !== name)
      for (const [other, { colours: theirs }] of others) {
        const furthest = Math.max(...colours.map((value, index) => Math.abs(value - theirs[index]!)))
        expect(furthest, `${name} and ${other}`).toBeGreaterThan(12)
      }
    }
  })

  it('decodes nothing of what is too large', async () => {
    const before = await service.metric('flowers_stage_duration_seconds_count{stage="decode"}')
    const response = await post(await inputs['PNG of 30,000 x 30,000 pixels (bomb)']!())
    expect(response.status).toBe(413)
    expect(await service.metric('flowers_stage_duration_seconds_count{stage="decode"}')).toBe(before)
    expect(await service.metric('flowers_queue_depth')).toBe(0)
  })
})
