import { expect, test } from 'vitest'
import { functionConfig, processConfig } from './config.ts'
import { integerField, messageField, readFields } from './proto.ts'

test('what is written is read', () => {
  const inner = integerField(3, 300)
  const message = Buffer.concat([integerField(1, 5), messageField(2, inner), integerField(31, 1)])
  const fields = [...readFields(message)]
  expect(fields.map(({ number }) => number)).toEqual([1, 2, 31])
  expect([fields[0]!.value, fields[2]!.value]).toEqual([5, 1])
  expect([...readFields(fields[1]!.value as Uint8Array)]).toEqual([{ number: 3, value: 300 }])
})

test('fields of fixed width are passed over, half a message is refused', () => {
  const fixed = Uint8Array.of(0x0d, 1, 2, 3, 4, 0x11, 1, 2, 3, 4, 5, 6, 7, 8, 0x18, 9)
  expect([...readFields(fixed)]).toEqual([{ number: 3, value: 9 }])
  expect(() => [...readFields(Uint8Array.of(0x0a, 5, 1))]).toThrow(RangeError)
  expect(() => [...readFields(Uint8Array.of(0x80))]).toThrow(RangeError)
})

test('the configuration of a function has its rewrite options, empty or with float16', () => {
  expect(functionConfig).toEqual(Uint8Array.of(0x52, 2, 0x52, 0))
})

test('the process configuration names the numbers of threads and may leave the GPU out', () => {
  const fields = (gpu: boolean) =>
    Object.fromEntries(
      [...readFields(processConfig({ intraThreads: 3, interThreads: 4, gpu }))].map(({ number, value }) => [
        number,
        value,
      ]),
    )
  expect(fields(true)).toMatchObject({ 2: 3, 5: 4, 7: 1 })
  expect(Buffer.from(fields(false)[1] as Uint8Array).toString()).toContain('GPU')
})
