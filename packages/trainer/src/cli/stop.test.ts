import { EventEmitter } from 'node:events'
import { afterEach, expect, it, vi } from 'vitest'
import { stoppable, Stopped, type Stop, type StopSource } from './stop.ts'

afterEach(() => vi.restoreAllMocks())

/** A process that can be told to end. */
function source() {
  const exits: number[] = []
  const process = Object.assign(new EventEmitter(), {
    stdout: new EventEmitter(),
    stderr: new EventEmitter(),
    exit: (code: number) => void exits.push(code),
  })
  return { process: process satisfies StopSource, exits }
}

const never = (): Promise<void> => new Promise(() => {})

it.each([
  ['Ctrl-C', 130, ({ process }) => process.emit('SIGINT')],
  ['SIGTERM', 143, ({ process }) => process.emit('SIGTERM')],
  ['a closed terminal', 143, ({ process }) => process.emit('SIGHUP')],
  ['a closed pipe', 143, ({ process }) => process.stdout.emit('error', new Error('EPIPE'))],
  ['a closed pipe of errors', 143, ({ process }) => process.stderr.emit('error', new Error('EPIPE'))],
] as [string, number, (from: ReturnType<typeof source>) => unknown][])(
  'ends at once for %s, whatever the work is at, with exit code %i',
  async (_, exitCode, end) => {
    const from = source()
    let given: Stop | undefined
    const ended = stoppable((stop) => {
      given = stop
      stop.farewell = 'bye'
      return never()
    }, from.process)
    end(from)
    await expect(ended).rejects.toEqual(expect.objectContaining({ exitCode, farewell: 'bye' }))
    expect(given!.signal.aborted).toBe(true)
    expect(from.exits).toEqual([])
  },
)

it('waits for work that saves, and says so', async () => {
  const said = vi.spyOn(console, 'log').mockImplementation(() => {})
  const from = source()
  const steps: string[] = []
  const ended = stoppable(async (stop) => {
    stop.saves = true
    await new Promise((resolve) => stop.signal.addEventListener('abort', resolve))
    steps.push('saved')
    throw stop.signal.reason
  }, from.process)
  from.process.emit('SIGTERM')
  expect(said).toHaveBeenCalledWith(expect.stringContaining('again to stop at once'))
  await expect(ended).rejects.toBeInstanceOf(Stopped)
  expect(steps).toEqual(['saved'])
})

it('rejects with what went wrong while the work saved', async () => {
  vi.spyOn(console, 'log').mockImplementation(() => {})
  const from = source()
  const full = new Error('disk full')
  const ended = stoppable(async (stop) => {
    stop.saves = true
    await new Promise((resolve) => stop.signal.addEventListener('abort', resolve))
    throw full
  }, from.process)
  from.process.emit('SIGINT')
  await expect(ended).rejects.toBe(full)
})

it('ends without waiting at a second Ctrl-C, but not at what a closed terminal sends beside', async () => {
  vi.spyOn(console, 'log').mockImplementation(() => {})
  const from = source()
  void stoppable((stop) => {
    stop.saves = true
    return never()
  }, from.process)
  for (const end of ['SIGHUP', 'SIGHUP'] as const) from.process.emit(end)
  from.process.stdout.emit('error', new Error('EIO'))
  expect(from.exits).toEqual([])
  from.process.emit('SIGINT')
  expect(from.exits).toEqual([130])
})
