import { open, type FileHandle } from 'node:fs/promises'
import type { FlowersError } from '@flowers/shared/errors'
import { writeFileAtomic } from '@flowers/shared/files'
import { z } from 'zod'
import { bfloat16ToFloat32, float16ToFloat32 } from './half.ts'
import { TrainerError } from '../../errors.ts'

/**
 * The safetensors format (huggingface/safetensors, README "Format"): the length of a JSON header as u64, the header,
 * then the tensors' bytes, little-endian, row by row, without gaps. A hostile file is refused before anything of the
 * size it claims is allocated.
 */
export type TensorData = Float32Array | Int32Array | BigInt64Array

interface SafetensorsEntry {
  readonly dtype: DType
  readonly shape: readonly number[]
  /** First byte and the one after the last, counted from the end of the header. */
  readonly offsets: readonly [number, number]
}

interface SafetensorsHeader {
  readonly entries: ReadonlyMap<string, SafetensorsEntry>
  readonly metadata: Readonly<Record<string, string>>
  /** Where the tensors' bytes begin in the file. */
  readonly dataStart: number
}

export interface SafetensorsTensor {
  /** As stored in the file. F16 and BF16 are widened to float32 in `data`. */
  readonly dtype: DType
  readonly shape: readonly number[]
  readonly data: TensorData
}

interface DTypeCodec {
  readonly bytes: number
  readonly decode: (buffer: ArrayBuffer) => TensorData
}

const codecs = {
  F32: { bytes: 4, decode: (buffer) => new Float32Array(buffer) },
  F16: { bytes: 2, decode: (buffer) => float16ToFloat32(new Uint16Array(buffer)) },
  BF16: { bytes: 2, decode: (buffer) => bfloat16ToFloat32(new Uint16Array(buffer)) },
  I32: { bytes: 4, decode: (buffer) => new Int32Array(buffer) },
  I64: { bytes: 8, decode: (buffer) => new BigInt64Array(buffer) },
} as const satisfies Record<string, DTypeCodec>

type DType = keyof typeof codecs

/** The reference implementation's limit. */
const largestHeader = 100_000_000
const alignment = 8

const size = z.int().nonnegative()
const entrySchema = z.object({ dtype: z.string(), shape: z.array(size), data_offsets: z.tuple([size, size]) })
const metadataSchema = z.record(z.string(), z.string())

/** Every tensor of a file by name. Throws MODEL_SAFETENSORS_INVALID when the file is not exactly what its header says. */
export async function readSafetensors(path: string): Promise<Map<string, SafetensorsTensor>> {
  return withFile(path, async (file) => {
    const header = await readHeader(path, file)
    const tensors = new Map<string, SafetensorsTensor>()
    for (const [name, { dtype, shape, offsets }] of header.entries) {
      const bytes = await readBytes(path, file, header.dataStart + offsets[0], offsets[1] - offsets[0])
      tensors.set(name, { dtype, shape, data: codecs[dtype].decode(bytes) })
    }
    return tensors
  })
}

/** Names, types and shapes of the tensors, and the metadata, without reading the tensors. Same checks. */
export async function readSafetensorsHeader(path: string): Promise<SafetensorsHeader> {
  return withFile(path, (file) => readHeader(path, file))
}

/**
 * Writes tensors in the order given, the dtype taken from the array's type. Atomic: a reader sees the old file or the
 * new one, and the bytes are on the disk before the name points at them.
 */
export async function writeSafetensors(
  path: string,
  tensors: ReadonlyMap<string, { readonly shape: readonly number[]; readonly data: TensorData }>,
  metadata: Readonly<Record<string, string>> = {},
): Promise<void> {
  // Widest elements first, so that every tensor starts at a multiple of its element's size, as the reference requires.
  const ordered = [...tensors].sort(([, a], [, b]) => b.data.BYTES_PER_ELEMENT - a.data.BYTES_PER_ELEMENT)
  for (const [name, { shape, data }] of ordered) {
    if (countOf(shape) !== data.length)
      throw new RangeError(`${name}: shape [${shape.join(', ')}] does not hold ${data.length} values`)
  }
  const header = headerBytes(
    ordered.map(([name, { shape, data }]) => ({ name, shape, dtype: dtypeOf(data) })),
    metadata,
  )
  await writeFileAtomic(path, [...header, ...ordered.map(([, { data }]) => bytesOf(data))])
}

/** The same for float32 tensors that come in pieces, in the order of `shapes`, and need not be in memory at one time. */
export async function streamSafetensors(
  path: string,
  shapes: ReadonlyMap<string, readonly number[]>,
  pieces: AsyncIterable<Float32Array>,
  metadata: Readonly<Record<string, string>>,
): Promise<void> {
  const entries = [...shapes].map(([name, shape]) => ({ name, shape, dtype: 'F32' }) as const)
  const expected = entries.reduce((sum, { shape }) => sum + countOf(shape), 0)
  await writeFileAtomic(
    path,
    (async function* () {
      yield* headerBytes(entries, metadata)
      let written = 0
      for await (const piece of pieces) {
        written += piece.length
        yield bytesOf(piece)
      }
      if (written !== expected) throw new RangeError(`the shapes hold ${expected} values, ${written} came`)
    })(),
  )
}

function headerBytes(
  entries: readonly { name: string; shape: readonly number[]; dtype: DType }[],
  metadata: Readonly<Record<string, string>>,
): Uint8Array[] {
  const header: [string, unknown][] = Object.keys(metadata).length > 0 ? [['__metadata__', metadata]] : []
  let position = 0
  for (const { name, shape, dtype } of entries) {
    if (name === '__metadata__') throw new RangeError('a tensor cannot be named __metadata__')
    const end = position + countOf(shape) * codecs[dtype].bytes
    header.push([name, { dtype, shape, data_offsets: [position, end] }])
    position = end
  }
  const json = Buffer.from(JSON.stringify(Object.fromEntries(header)))
  const padded = Buffer.alloc(Math.ceil(json.length / alignment) * alignment, ' ')
  json.copy(padded)
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(padded.length))
  return [length, padded]
}

const bytesOf = (data: TensorData): Uint8Array => new Uint8Array(data.buffer, data.byteOffset, data.byteLength)

function dtypeOf(data: TensorData): DType {
  if (data instanceof Float32Array) return 'F32'
  return data instanceof Int32Array ? 'I32' : 'I64'
}

async function withFile<T>(path: string, use: (file: FileHandle) => Promise<T>): Promise<T> {
  const file = await open(path, 'r')
  try {
    return await use(file)
  } finally {
    await file.close()
  }
}

async function readHeader(path: string, file: FileHandle): Promise<SafetensorsHeader> {
  const fileSize = (await file.stat()).size
  if (fileSize < 8) throw invalid(path, `${fileSize} bytes are too few for a header length`)
  const length = Number(Buffer.from(await readBytes(path, file, 0, 8)).readBigUInt64LE())
  if (length > largestHeader)
    throw invalid(path, `a header of ${length} bytes is claimed; the limit is ${largestHeader}`)
  if (8 + length > fileSize)
    throw invalid(path, `a header of ${length} bytes is claimed in a file of ${fileSize} bytes`)
  const { __metadata__: metadata, ...tensors } = parseJson(path, await readBytes(path, file, 8, length))
  const dataStart = 8 + length
  const entries = new Map(Object.entries(tensors).map(([name, value]) => [name, parseEntry(path, name, value)]))
  checkCoverage(path, entries, fileSize - dataStart)
  const parsed = metadataSchema.safeParse(metadata ?? {})
  if (!parsed.success) throw invalid(path, '__metadata__ is not a map from text to text')
  return { entries, metadata: parsed.data, dataStart }
}

function parseJson(path: string, bytes: ArrayBuffer): Record<string, unknown> {
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (cause) {
    throw invalid(path, 'the header is not JSON', cause)
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw invalid(path, 'the header is not a JSON object')
  return { ...value }
}

function parseEntry(path: string, name: string, value: unknown): SafetensorsEntry {
  const parsed = entrySchema.safeParse(value)
  if (!parsed.success) throw invalid(path, `the header's entry for "${name}" is not dtype, shape and data_offsets`)
  const { dtype, shape, data_offsets: offsets } = parsed.data
  if (!isDType(dtype)) throw invalid(path, `"${name}" has dtype ${dtype}; read are ${Object.keys(codecs).join(', ')}`)
  const bytes = countOf(shape) * codecs[dtype].bytes
  if (offsets[1] - offsets[0] !== bytes) {
    throw invalid(
      path,
      `"${name}" of ${dtype} [${shape.join(', ')}] needs ${bytes} bytes but has offsets ${offsets.join(' to ')}`,
    )
  }
  return { dtype, shape, offsets }
}

function isDType(dtype: string): dtype is DType {
  return Object.hasOwn(codecs, dtype)
}

/** Together the tensors must cover the data exactly once: no gap, no overlap, no byte missing or left over. */
function checkCoverage(path: string, entries: ReadonlyMap<string, SafetensorsEntry>, dataSize: number): void {
  let end = 0
  const ordered = [...entries].sort(([, a], [, b]) => a.offsets[0] - b.offsets[0] || a.offsets[1] - b.offsets[1])
  for (const [name, { offsets }] of ordered) {
    if (offsets[0] < end) throw invalid(path, `"${name}" overlaps the tensor before it`)
    if (offsets[0] > end) throw invalid(path, `${offsets[0] - end} bytes before "${name}" belong to no tensor`)
    end = offsets[1]
  }
  if (end > dataSize) throw invalid(path, `truncated: ${end} bytes of tensors are described, ${dataSize} are there`)
  if (end < dataSize) throw invalid(path, `${dataSize - end} bytes at the end belong to no tensor`)
}

function countOf(shape: readonly number[]): number {
  return shape.reduce((product, dimension) => product * dimension, 1)
}

async function readBytes(path: string, file: FileHandle, position: number, length: number): Promise<ArrayBuffer> {
  const bytes = new Uint8Array(new ArrayBuffer(length))
  let filled = 0
  while (filled < length) {
    const { bytesRead } = await file.read(bytes, filled, length - filled, position + filled)
    if (bytesRead === 0) throw invalid(path, 'the file became shorter while it was read')
    filled += bytesRead
  }
  return bytes.buffer
}

function invalid(path: string, detail: string, cause?: unknown): FlowersError {
  return new TrainerError('MODEL_SAFETENSORS_INVALID', `${path}: ${detail}`, { cause })
}
