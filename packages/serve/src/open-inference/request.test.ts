import { describe, expect, it, vi } from 'vitest'
import { bytesOf, readInferRequest, type InferCall } from './request.ts'

const room = { images: 16, hold: (_bytes: number): void => {} }

/** Reads an input of bytes after the JSON. */
function readBinary(input: object, bytes: Buffer, hold = room.hold, onCut = (): void => {}): InferCall {
  const json = Buffer.from(JSON.stringify({ inputs: [{ ...input, parameters: { binary_data_size: bytes.length } }] }))
  return readInferRequest(watched(Buffer.concat([json, bytes]), onCut), json.length, { ...room, hold })
}

function readJson(input: object): InferCall {
  return readInferRequest(Buffer.from(JSON.stringify({ inputs: [input] })), null, room)
}

const images = { name: 'image', datatype: 'BYTES', shape: [2] }
const numbers = { name: 'pixel_values', datatype: 'FP32', shape: [2] }

/** The buffer, telling of each cut of it and of its cuts. */
function watched(buffer: Buffer, onCut: () => void): Buffer {
  const cut = buffer.subarray.bind(buffer)
  buffer.subarray = (...range: [number?, number?]) => {
    onCut()
    return watched(cut(...range), onCut)
  }
  return buffer
}

describe('elements beyond the shape', () => {
  it('are not read: as many zero bytes as there may be are refused at the third of two', () => {
    const bomb = Buffer.alloc(400_000)
    const onCut = vi.fn<() => void>()
    expect(() => readBinary(images, bomb, room.hold, onCut)).toThrow(/shape of image has 2 elements, its data/)
    expect(onCut).toHaveBeenCalled()
    expect(onCut.mock.calls.length).toBeLessThan(20)
  })

  it('are refused with the shape where it has more images than a request may', () => {
    for (const shape of [[17], [100_000], [2 ** 31, 2 ** 31]]) {
      const onCut = vi.fn<() => void>()
      const read = (): InferCall => readBinary({ ...images, shape }, Buffer.alloc(400_000), room.hold, onCut)
      expect(read).toThrow(/more than 16 images/)
      expect(onCut.mock.calls.length).toBeLessThan(20)
      expect(() => readJson({ ...images, shape, data: [''] })).toThrow(/more than 16 images/)
    }
  })

  it.each([
    ['flat', Array.from({ length: 1000 }, () => '')],
    ['nested', Array.from({ length: 1000 }, () => [['']])],
  ])('are refused in JSON, %s', (_name, data) => {
    expect(() => readJson({ ...images, data })).toThrow(/shape of image has 2 elements, its data/)
    expect(() => readJson({ ...numbers, data })).toThrow(/shape of pixel_values has 2 elements, its data/)
  })
})

describe('base64', () => {
  const read = (text: string): string => {
    const { input } = readJson({ ...images, shape: [1], data: [text] })
    return (input.data as Buffer[])[0]!.toString('utf8')
  }

  it.each([
    ['', ''],
    ['YWJj', 'abc'],
    ['YWI', 'ab'],
    ['YWI=', 'ab'],
    ['YQ', 'a'],
    ['YQ==', 'a'],
  ])('%s is read', (text, value) => expect(read(text)).toBe(value))

  it.each(['Y', '=', '==', 'YQ=', 'YWI==', 'YWJj=', 'YWJj==', 'YQ===', 'Y=Q=', 'YW J', 'YW-_', 'YWJj\n'])(
    '%j is refused',
    (text) => {
      expect(() => read(text)).toThrow(/must be base64/)
    },
  )

  it('is read however long it is', () => {
    // The text is made by hand: JSON.stringify and a copy of it would take most of the time.
    const start = Buffer.from('{"inputs":[{"name":"image","datatype":"BYTES","shape":[1],"data":["')
    const body = Buffer.concat([start, Buffer.alloc(34_000_000, 'A'), Buffer.from('"]}]}')])
    const { input } = readInferRequest(body, null, room)
    expect((input.data[0] as Buffer).length).toBe(25_500_000)
  })
})

describe('what is held', () => {
  it('is counted before it is copied, and told when it has been read', () => {
    const counted: number[] = []
    const call = readBinary(numbers, Buffer.alloc(8), (bytes) => counted.push(bytes))
    expect(counted).toEqual([8])
    expect(bytesOf(call)).toBe(8)
    expect(() =>
      readBinary(numbers, Buffer.alloc(8), () => {
        throw new Error('full')
      }),
    ).toThrow('full')
  })

  it('is the whole body where images are parts of it', () => {
    const bytes = Buffer.alloc(100_000)
    bytes.writeUInt32LE(50_000 - 4)
    bytes.writeUInt32LE(50_000 - 4, 50_000)
    const call = readBinary(images, bytes)
    expect(bytesOf(call)).toBeGreaterThan(100_000)
    expect(bytesOf(call)).toBeLessThan(101_000)
  })
})
