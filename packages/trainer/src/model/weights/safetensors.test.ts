import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  readSafetensors,
  readSafetensorsHeader,
  streamSafetensors,
  writeSafetensors,
  type TensorData,
} from './safetensors.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'safetensors-'))
})
afterAll(() => rm(folder, { recursive: true }))

const bytesOf = (header: string | object, data: Uint8Array = new Uint8Array(), claimed?: bigint): Buffer => {
  const json = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header))
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(claimed ?? BigInt(json.length))
  return Buffer.concat([length, json, data])
}

async function stored(content: Uint8Array): Promise<string> {
  const path = join(folder, 'crafted.safetensors')
  await writeFile(path, content)
  return path
}

it('a file written in pieces is the file written whole, and an incomplete one is not there', async () => {
  const values = Float32Array.from([1, 2, 3, 4, 5, 6, 7, 8])
  const pieces = (lengths: number[]) =>
    async function* () {
      let start = 0
      for (const length of lengths) yield Promise.resolve(values.subarray(start, (start += length)))
    }
  const shapes = new Map([
    ['a', [2, 3]],
    ['b', [2]],
  ])
  const [whole, streamed] = [join(folder, 'whole.safetensors'), join(folder, 'streamed.safetensors')]
  const tensors = new Map([
    ['a', { shape: [2, 3], data: values.subarray(0, 6) }],
    ['b', { shape: [2], data: values.subarray(6) }],
  ])
  await writeSafetensors(whole, tensors, { key: 'x' })
  await streamSafetensors(streamed, shapes, pieces([1, 4, 3])(), { key: 'x' })
  expect(await readFile(streamed)).toEqual(await readFile(whole))
  const short = join(folder, 'short.safetensors')
  await expect(streamSafetensors(short, shapes, pieces([1, 4])(), {})).rejects.toThrow('8 values, 5 came')
  expect((await readdir(folder)).filter((name) => name.startsWith('short'))).toEqual([])
})

describe('a written file', () => {
  const tensors = new Map<string, { shape: number[]; data: TensorData }>([
    ['weight', { shape: [2, 3], data: Float32Array.from([1, -0, 3.5, NaN, Infinity, 1e-40]) }],
    ['scalar', { shape: [], data: Float32Array.from([7]) }],
    ['empty', { shape: [0, 4], data: new Float32Array() }],
    ['step', { shape: [1], data: BigInt64Array.from([-(2n ** 60n)]) }],
    ['order', { shape: [3], data: Int32Array.from([3, -1, 2]) }],
    ['view', { shape: [2], data: new Float32Array([9, 8, 7, 6]).subarray(1, 3) }],
    ['__proto__', { shape: [1], data: Float32Array.from([5]) }],
  ])

  it('comes back with values, shapes, types and metadata', async () => {
    const path = join(folder, 'round.safetensors')
    await writeSafetensors(path, tensors, { epoch: '3', note: 'schön' })
    const read = await readSafetensors(path)
    expect([...read.keys()].toSorted()).toEqual([...tensors.keys()].toSorted())
    for (const [name, { shape, data }] of tensors) expect(read.get(name), name).toMatchObject({ shape, data })
    expect(read.get('step')?.dtype).toBe('I64')
    const header = await readSafetensorsHeader(path)
    expect(header.metadata).toEqual({ epoch: '3', note: 'schön' })
    expect(header.entries.get('weight')?.shape).toEqual([2, 3])
  })

  it('has aligned data and leaves nothing beside it', async () => {
    const path = join(folder, 'aligned.safetensors')
    await writeSafetensors(path, tensors, {})
    const bytes = await readFile(path)
    expect(Number(bytes.readBigUInt64LE()) % 8).toBe(0)
    const { entries, dataStart } = await readSafetensorsHeader(path)
    for (const { dtype, offsets } of entries.values())
      expect((dataStart + offsets[0]) % (dtype === 'I64' ? 8 : 4)).toBe(0)
    expect((await readdir(folder)).filter((name) => name.endsWith('.tmp'))).toEqual([])
  })

  it('is refused before anything is written when a shape does not fit', async () => {
    const path = join(folder, 'unwritten.safetensors')
    const wrong = new Map([['a', { shape: [2], data: new Float32Array(3) }]])
    await expect(writeSafetensors(path, wrong)).rejects.toThrow(/a: shape \[2\]/)
    expect(await readdir(folder)).not.toContain('unwritten.safetensors')
  })
})

it('widens half precision', async () => {
  const header = {
    h: { dtype: 'F16', shape: [2], data_offsets: [0, 4] },
    b: { dtype: 'BF16', shape: [1], data_offsets: [4, 6] },
  }
  const read = await readSafetensors(
    await stored(bytesOf(header, new Uint8Array(Uint16Array.from([0x3c00, 0xc000, 0x3f80]).buffer))),
  )
  expect(read.get('h')).toEqual({ dtype: 'F16', shape: [2], data: Float32Array.from([1, -2]) })
  expect(read.get('b')).toEqual({ dtype: 'BF16', shape: [1], data: Float32Array.from([1]) })
})

describe('a file that is not what it says', () => {
  const entry = (from: number, to: number): object => ({
    dtype: 'F32',
    shape: [(to - from) / 4],
    data_offsets: [from, to],
  })
  const data = (length: number): Uint8Array => new Uint8Array(length)

  it.each<[string, Buffer, RegExp]>([
    ['is empty', Buffer.alloc(0), /too few/],
    ['ends within the length', Buffer.alloc(7), /too few/],
    ['claims an absurd header', bytesOf('{}', data(8), 2n ** 63n), /limit/],
    ['claims a header longer than itself', bytesOf('{}', data(8), 4096n), /file of 18 bytes/],
    ['has a header that is not JSON', bytesOf('{"a":', data(8)), /not JSON/],
    ['has a header that is not UTF-8', bytesOf('{"a\u0000": 1}', data(8), 5n), /not JSON/],
    ['has a header that is a list', bytesOf('[]'), /not a JSON object/],
    ['lacks offsets', bytesOf({ a: { dtype: 'F32', shape: [1] } }, data(4)), /"a" is not dtype/],
    [
      'has a negative dimension',
      bytesOf({ a: { dtype: 'F32', shape: [-1], data_offsets: [0, 4] } }, data(4)),
      /"a" is not dtype/,
    ],
    [
      'has a shape beyond all numbers',
      bytesOf({ a: { dtype: 'F32', shape: [2 ** 52, 2 ** 52], data_offsets: [0, 4] } }, data(4)),
      /needs/,
    ],
    [
      'has a type that is not read',
      bytesOf({ a: { dtype: 'F8_E4M3', shape: [4], data_offsets: [0, 4] } }, data(4)),
      /dtype F8_E4M3/,
    ],
    [
      'has a type of every object',
      bytesOf({ a: { dtype: 'toString', shape: [4], data_offsets: [0, 4] } }, data(4)),
      /dtype toString/,
    ],
    [
      'has offsets that do not fit the shape',
      bytesOf({ a: { dtype: 'F32', shape: [2], data_offsets: [0, 4] } }, data(4)),
      /needs 8 bytes/,
    ],
    [
      'has offsets in reverse',
      bytesOf({ a: { dtype: 'F32', shape: [1], data_offsets: [4, 0] } }, data(4)),
      /needs 4 bytes/,
    ],
    ['has overlapping tensors', bytesOf({ a: entry(0, 8), b: entry(4, 12) }, data(12)), /"b" overlaps/],
    ['has two tensors in one place', bytesOf({ a: entry(0, 8), b: entry(0, 8) }, data(8)), /overlaps/],
    ['has a gap', bytesOf({ a: entry(0, 4), b: entry(8, 12) }, data(12)), /4 bytes before "b"/],
    ['is truncated', bytesOf({ a: entry(0, 8) }, data(7)), /truncated: 8 bytes .* 7 are there/],
    ['has bytes left over', bytesOf({ a: entry(0, 8) }, data(9)), /1 bytes at the end/],
    ['has metadata that is not text', bytesOf({ __metadata__: { a: 1 } }), /__metadata__/],
  ])('is refused when it %s', async (_, content, message) => {
    const path = await stored(content)
    await expect(readSafetensors(path)).rejects.toMatchObject({ code: 'MODEL_SAFETENSORS_INVALID' })
    await expect(readSafetensors(path)).rejects.toThrow(message)
  })
})
