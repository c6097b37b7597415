import { execFileSync } from 'node:child_process'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'flowers-exit-'))
})
afterAll(() => rm(folder, { recursive: true }))

/** Runs a program of a few lines on the built modules; what it prints. */
function run(lines: string): string {
  const module = (name: string): string => JSON.stringify(new URL(`../dist/${name}.js`, import.meta.url).href)
  const imports = `import { atExit } from ${module('at-exit')}
    import { withTemporaryFolder, writeFileAtomic } from ${module('files')}`
  const args = ['--input-type=module', '-e', `${imports}\n${lines}`]
  return execFileSync(process.execPath, args, { cwd: folder, encoding: 'utf8' })
}

it('undoes what is half done when the process ends, the latest first, and not what is done', () => {
  const printed = run(`
    for (const name of ['a', 'b', 'c']) atExit(() => console.log(name))
    atExit(() => console.log('done'))()
    atExit(() => { throw new Error('passed over') })
    process.exit(0)
  `)
  expect(printed.trim().split('\n')).toEqual(['c', 'b', 'a'])
})

it('leaves nothing of files and folders that are being made', async () => {
  run(`
    withTemporaryFolder('work-', () => new Promise(() => {}))
    writeFileAtomic('file.txt', (async function* () { yield Buffer.from('half'); await new Promise(() => {}) })())
    setImmediate(() => process.exit(0))
    setInterval(() => {}, 1000)
  `)
  expect(await readdir(folder)).toEqual([])
})
