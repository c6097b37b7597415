import { describe, expect, it } from 'vitest'
import { planThreads, readAllowance, sessionBytes } from './plan.ts'

const system = { cores: 64, memory: 256e9 }
const from = (files: Record<string, string>) => readAllowance((path) => files[path], system)

describe('readAllowance', () => {
  it('is the system where there are no control groups', () => {
    expect(from({})).toEqual({ cores: 64, memory: 256e9, source: 'system' })
  })

  it('reads cpu.max and memory.max of version 2 in a container, whose group is the root', () => {
    const files = {
      '/proc/self/cgroup': '0::/\n',
      '/sys/fs/cgroup/cpu.max': '150000 100000\n',
      '/sys/fs/cgroup/memory.max': '2000000000\n',
    }
    expect(from(files)).toEqual({ cores: 1.5, memory: 2e9, source: 'cgroup v2' })
  })

  it('takes the tightest quota of the groups above the process', () => {
    const files = {
      '/proc/self/cgroup': '0::/user.slice/app.service\n',
      '/sys/fs/cgroup/user.slice/app.service/cpu.max': '800000 100000\n',
      '/sys/fs/cgroup/user.slice/cpu.max': '400000 100000\n',
      '/sys/fs/cgroup/user.slice/memory.max': 'max\n',
    }
    expect(from(files)).toEqual({ cores: 4, memory: 256e9, source: 'cgroup v2' })
  })

  it('reads version 1, where -1 and a huge memory limit are none', () => {
    const files = {
      '/proc/self/cgroup': '5:cpu,cpuacct:/docker/abc\n4:memory:/docker/abc\n',
      '/sys/fs/cgroup/cpu/cpu.cfs_quota_us': '200000\n',
      '/sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000\n',
      '/sys/fs/cgroup/memory/memory.limit_in_bytes': '9223372036854771712\n',
    }
    expect(from(files)).toEqual({ cores: 2, memory: 256e9, source: 'cgroup v1' })
    expect(from({ ...files, '/sys/fs/cgroup/cpu/cpu.cfs_quota_us': '-1\n' })).toMatchObject({
      cores: 64,
      source: 'system',
    })
  })

  it('is not bound by max', () => {
    const files = { '/proc/self/cgroup': '0::/\n', '/sys/fs/cgroup/cpu.max': 'max 100000\n' }
    expect(from(files)).toMatchObject({ cores: 64, source: 'system' })
  })
})

describe('planThreads', () => {
  const allowance = { cores: 8, memory: 16e9, source: 'system' } as const

  it('gives every core a worker of one thread', () => {
    expect(planThreads(allowance, 14e6)).toMatchObject({ workers: 8, threads: 1 })
    expect(planThreads({ ...allowance, cores: 0.5 }, 14e6)).toMatchObject({ workers: 1, threads: 1 })
    expect(planThreads({ ...allowance, cores: 2.5 }, 14e6)).toMatchObject({ workers: 2, threads: 1 })
  })

  it('gives fewer workers more threads where copies of the weights do not fit', () => {
    expect(planThreads(allowance, 1e9)).toMatchObject({ workers: 4, threads: 2, bytes: 4e9 })
    expect(planThreads(allowance, 3e9)).toMatchObject({ workers: 2, threads: 4 })
    expect(planThreads(allowance, 6e9)).toMatchObject({ workers: 1, threads: 8 })
  })

  it('leaves other models their memory', () => {
    const others = (bytes: number) => ({ others: bytes, replaced: 0 })
    expect(planThreads(allowance, 1e9, {}, others(4e9))).toMatchObject({ workers: 2, threads: 4 })
    expect(planThreads(allowance, 1e9, {}, others(11e9))).toMatchObject({ workers: 1, threads: 8 })
  })

  it('leaves the version that serves its memory until it is replaced', () => {
    const replacing = (bytes: number) => ({ others: 0, replaced: bytes })
    // Twice the share of sessions is what may be in use.
    expect(planThreads(allowance, 1e9, {}, replacing(6.4e9))).toMatchObject({ workers: 4, threads: 2 })
    expect(planThreads(allowance, 1e9, {}, replacing(9.8e9))).toMatchObject({ workers: 2, threads: 3 })
    expect(planThreads(allowance, 1e9, { workers: 6 }, replacing(6e9))).toMatchObject({ workers: 6 })
    expect(() => planThreads(allowance, 1e9, { workers: 7 }, replacing(6e9))).toThrow(
      '7 workers need about 7000 MB; of 16000 MB, 0 MB are held by other models, 6000 MB by the version that is replaced and a fifth is kept free.',
    )
  })

  it('refuses what does not fit at all, also where it is fixed', () => {
    const refusal = expect.objectContaining({ code: 'MODEL_MEMORY' })
    expect(() => planThreads(allowance, 13e9)).toThrow(refusal)
    expect(() => planThreads(allowance, 2e9, {}, { others: 11e9, replaced: 0 })).toThrow(refusal)
    expect(() => planThreads(allowance, 2e9, { workers: 8 })).toThrow(
      '8 workers need about 16000 MB; of 16000 MB, 0 MB are held by other models and a fifth is kept free.',
    )
  })

  it('estimates what was measured for sessions at 576 px', () => {
    expect(sessionBytes(19.3e6, 576) / 1e6).toBeCloseTo(208, 0)
    expect(sessionBytes(355e6, 576) / 1e6).toBeCloseTo(879, 0)
  })

  it('keeps what is fixed', () => {
    expect(planThreads(allowance, 14e6, { threads: 4 })).toMatchObject({ workers: 2, threads: 4 })
    expect(planThreads(allowance, 14e6, { workers: 3 })).toMatchObject({ workers: 3, threads: 2 })
    expect(planThreads(allowance, 14e6, { workers: 1, threads: 1 })).toMatchObject({ workers: 1, threads: 1 })
  })

  it('never plans more threads than cores by itself', () => {
    for (let cores = 1; cores <= 64; cores++) {
      for (const bytes of [1e6, 3e8, 2e9, 6e9]) {
        const plan = planThreads({ ...allowance, cores }, bytes)
        expect(plan.workers * plan.threads).toBeLessThanOrEqual(cores)
      }
    }
  })
})
