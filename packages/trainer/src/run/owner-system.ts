import { readFile, readlink } from 'node:fs/promises'
import { hostname } from 'node:os'
import { setTimeout } from 'node:timers/promises'

/** A process that works in a folder. */
export interface Owner {
  readonly pid: number
  /** For people. */
  readonly host: string
  /** Where process numbers mean the same processes: one start of one machine, one container. */
  readonly realm: string
  /** When the process started, by the clock of the realm; null where the system does not tell. */
  readonly started: string | null
}

/** What an owner asks the system; another one stands in for it. */
export interface OwnerSystem {
  self(): Promise<Owner>
  /** When a process of this realm started; null where the system does not tell, undefined where there is no such process. */
  startOf(pid: number): Promise<string | null | undefined>
  wait(milliseconds: number): Promise<void>
}

export const thisSystem: OwnerSystem = {
  self: async () => ({
    pid: process.pid,
    host: hostname(),
    realm: await realm(),
    started: (await thisSystem.startOf(process.pid)) ?? null,
  }),
  startOf: async (pid) => {
    if (!exists(pid)) return undefined
    const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null)
    // The name of the program, in brackets, may hold spaces and brackets; after it come the state and, as the 20th, the
    // start (proc(5)).
    const fields = text?.slice(text.lastIndexOf(')') + 2).split(' ')
    // Killed, but its parent has not asked how it ended.
    return fields?.[0] === 'Z' ? undefined : (fields?.[19] ?? null)
  },
  wait: (milliseconds) => setTimeout(milliseconds),
}

async function realm(): Promise<string> {
  const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => '')
  const numbers = await readlink('/proc/self/ns/pid').catch(() => '')
  return [hostname(), boot.trim(), numbers].join(' ')
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
