import { mkdir, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, vi } from 'vitest'
import { every, fingerprint, Settled } from './watch.ts'

it('tells a folder from what it was by names, sizes and times of its files, also deep ones', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'flowers-watch-'))
  try {
    const file = join(folder, 'onnx', 'model.onnx')
    await mkdir(join(folder, 'onnx'))
    const seen = new Set([await fingerprint(folder)])
    await writeFile(file, 'a')
    seen.add(await fingerprint(folder))
    expect(await fingerprint(folder)).toBe([...seen].at(-1))
    await writeFile(file, 'ab')
    seen.add(await fingerprint(folder))
    await utimes(file, 1, 1)
    seen.add(await fingerprint(folder))
    expect(seen.size).toBe(4)
    await expect(fingerprint(join(folder, 'nowhere'))).rejects.toThrow('ENOENT')
  } finally {
    await rm(folder, { recursive: true })
  }
})

it('reports what changed only once it stays, and what is known never', () => {
  const settled = new Settled()
  const known = new Map([
    ['a', '1'],
    ['b', '1'],
  ])
  const look = (a: string, b: string) => settled.look(new Map(Object.entries({ a, b })), known)
  expect(look('1', '1')).toEqual([])
  expect(look('2', '1')).toEqual([])
  expect(look('3', '1')).toEqual([])
  expect(look('3', '2')).toEqual(['a'])
  known.set('a', '3')
  expect(look('3', '2')).toEqual(['b'])
  known.set('b', '2')
  expect(look('3', '2')).toEqual([])
  // Back to what is known, and then changed again: it has to settle anew.
  expect(look('4', '2')).toEqual([])
  expect(look('3', '2')).toEqual([])
  expect(look('4', '2')).toEqual([])
  expect(look('4', '2')).toEqual(['a'])
})

it('looks again and again, one look after the other, until it is aborted', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  try {
    let looks = 0
    let end = (): void => {}
    const controller = new AbortController()
    const look = (): Promise<void> => {
      looks++
      return new Promise((resolve) => (end = resolve))
    }
    every(100, look, controller.signal)
    await vi.advanceTimersByTimeAsync(500)
    expect(looks).toBe(1)
    end()
    await vi.advanceTimersByTimeAsync(100)
    expect(looks).toBe(2)
    end()
    await vi.advanceTimersByTimeAsync(50)
    controller.abort()
    expect(vi.getTimerCount()).toBe(0)
  } finally {
    vi.useRealTimers()
  }
})
