import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { liveHandles, startTensorflow, SummaryWriter } from './index.ts'
import { readFields } from './proto.ts'

let folder: string

beforeAll(async () => {
  await startTensorflow({ device: 'cpu' })
})
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tensorflow-'))
})
afterEach(() => rm(folder, { recursive: true }))

/** The events of a file: records of an 8-byte length, its checksum, the bytes, their checksum. */
async function events(path: string): Promise<Map<number, number | Uint8Array>[]> {
  const file = await readFile(path)
  const found: Map<number, number | Uint8Array>[] = []
  for (let at = 0; at < file.length;) {
    const length = Number(file.readBigUInt64LE(at))
    const event = readFields(file.subarray(at + 12, at + 12 + length))
    found.push(new Map([...event].map(({ number, value }) => [number, value])))
    at += 12 + length + 4
  }
  return found
}

test('writes scalars, pictures and restarts into a file, each flushed, and holds nothing', async () => {
  const before = liveHandles()
  const writer = new SummaryWriter(folder)
  writer.scalar('some/value', 3, 0.5)
  writer.scalar('a tag that is longer than a short string of TensorFlow', 2 ** 40, -2)
  writer.image('some/picture', 4, { pixels: Uint8Array.from({ length: 18 }, (_, i) => i), width: 3, height: 2 })
  writer.restart(4)
  writer.flush()
  const [name, ...others] = await readdir(folder)
  expect(others).toEqual([])
  expect(name).toMatch(/^events\.out\.tfevents\./)
  const written = await events(join(folder, name!))
  const [step, sessionLog, summary] = [2, 7, 5]
  // The first event states the version of the file.
  expect(written.map((event) => event.get(step))).toEqual([undefined, 3, 2 ** 40, 4, 4])
  expect(written[4]!.get(sessionLog)).toEqual(Buffer.from([8, 1]))
  const texts = written.map((event) =>
    Buffer.from((event.get(summary) as Uint8Array | undefined) ?? []).toString('latin1'),
  )
  expect(texts[1]).toContain('some/value')
  expect(texts[2]).toContain('a tag that is longer than a short string of TensorFlow')
  expect(texts[3]).toMatch(/some\/picture\/image(?!\/)[^]*PNG/)
  writer.close()
  expect(liveHandles()).toBe(before)
})

test('says which folder cannot be written to', () => {
  expect(() => new SummaryWriter('/proc/nothing')).toThrow(
    expect.objectContaining({
      code: 'TENSORFLOW_OP_REFUSED',
      message: expect.stringContaining('/proc/nothing') as string,
    }),
  )
})
