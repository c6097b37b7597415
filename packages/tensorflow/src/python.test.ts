import { execFile, spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ensurePythonEnvironment, pinnedVersion } from './python.ts'

let folder: string
let python: string | undefined

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'python-'))
  python = process.env['FLOWERS_PYTHON']
})

afterEach(() => {
  rmSync(folder, { recursive: true })
  if (python === undefined) delete process.env['FLOWERS_PYTHON']
  else process.env['FLOWERS_PYTHON'] = python
})

function fakePython(script: string): void {
  const path = join(folder, 'fake-python')
  writeFileSync(path, `#!/bin/sh\n${script}\n`)
  chmodSync(path, 0o755)
  process.env['FLOWERS_PYTHON'] = path
}

const directory = () => join(folder, 'environment')

describe('a Python that cannot be used says what to install', () => {
  test.each([
    ['missing', 'exit 127', 'TENSORFLOW_PYTHON_MISSING', /needs Python 3\.11: none of .*fake-python runs/],
    ['another version', 'echo 3.9', 'TENSORFLOW_PYTHON_MISSING', /fake-python is Python 3\.9/],
    [
      'without venv',
      'case "$2" in *version_info*) echo 3.11;; *) exit 1;; esac',
      'TENSORFLOW_VENV_MISSING',
      /no venv module/,
    ],
    [
      'whose pip fails',
      'case "$1" in -c) echo 3.11;; *) echo "no space left" >&2; exit 1;; esac',
      'TENSORFLOW_INSTALL_FAILED',
      /code 1:\nno space left/,
    ],
  ])('%s', async (_, script, code, message) => {
    fakePython(script)
    const error = await ensurePythonEnvironment({ directory: directory(), gpu: false }).then(
      () => undefined,
      (reason: unknown) => reason,
    )
    expect(error).toMatchObject({ code })
    expect((error as Error).message).toMatch(message)
  })
})

test('an environment with the stamp of the lock is used as it is', async () => {
  fakePython('case "$1" in -c) echo 3.11;; *) mkdir -p "$2"; printf "%s" "$4" > "$2/stamp"; echo made;; esac')
  const lines: string[] = []
  await ensurePythonEnvironment({ directory: directory(), gpu: false, log: (line) => lines.push(line) })
  expect(lines).toEqual(['made'])
  fakePython('exit 127')
  const environment = await ensurePythonEnvironment({ directory: directory(), log: (line) => lines.push(line) })
  expect(lines).toEqual(['made'])
  expect(environment.python).toBe(join(directory(), 'bin', 'python'))
  writeFileSync(join(directory(), 'stamp'), 'another lock')
  await expect(ensurePythonEnvironment({ directory: directory(), gpu: false })).rejects.toMatchObject({
    code: 'TENSORFLOW_PYTHON_MISSING',
  })
})

test('the lock pins one version with hashes and names no registry', () => {
  for (const name of ['requirements.lock', 'requirements-gpu.lock']) {
    const lock = readFileSync(join(import.meta.dirname, '../python', name), 'utf8')
    expect(lock).not.toMatch(/https?:|index-url|find-links/)
    const packages = lock.match(/^[a-z].*==.*/gm) ?? []
    expect(packages.length).toBeGreaterThan(20)
    expect(packages.every((line) => line.endsWith('\\'))).toBe(true)
    expect(lock).toMatch(new RegExp(`^tensorflow(-cpu)?==${pinnedVersion().replaceAll('.', '\\.')} `, 'm'))
  }
})

const real = ['python3.11', 'python3'].find(
  (name) => spawnSync(name, ['-c', 'import fcntl'], { stdio: 'ignore' }).status === 0,
)

describe.skipIf(real === undefined)('make_environment.py', () => {
  const scripts = join(import.meta.dirname, '../python')
  const stamp = () => join(directory(), 'stamp')

  /** Runs the script with `body` (Python, one expression) in the place of venv and pip. */
  const make = (body: string) => {
    const code = `import os, time, make_environment as m; m.build = lambda target, lock: ${body}; raise SystemExit(m.main())`
    const options = { encoding: 'utf8', cwd: scripts, env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1' } } as const
    return promisify(execFile)(real!, ['-c', code, directory(), join(folder, 'lock'), 'stamp text'], options)
  }
  const build = '(target / "bin").mkdir(parents=True) or 0'

  /** Resolves once a running script has printed a text. */
  const said = ({ child }: ReturnType<typeof make>, text: string): Promise<void> =>
    new Promise((resolve, reject) => {
      let seen = ''
      child.stdout?.on('data', (chunk: string) => {
        if ((seen += chunk).includes(text)) resolve()
      })
      child.once('exit', () => reject(new Error(`it ended without "${text}": ${seen}`)))
    })

  test('two processes at once make one environment, in the place of one that is incomplete', async () => {
    mkdirSync(directory())
    writeFileSync(join(directory(), 'half'), '')
    const go = join(folder, 'go')
    const first = make(`[time.sleep(0.01) for _ in iter(lambda: os.path.exists("${go}"), True)] and ${build}`)
    await said(first, 'Making a Python environment')
    const second = make(build)
    await said(second, 'Waiting for another process')
    writeFileSync(go, '')
    const outputs = (await Promise.all([first, second])).map(({ stdout }) => stdout).join('')
    expect(outputs.match(/Making a Python environment/g)).toHaveLength(1)
    expect(outputs.match(/Removing the Python environment/g)).toHaveLength(1)
    expect(existsSync(join(directory(), 'half'))).toBe(false)
    expect(existsSync(join(directory(), 'bin'))).toBe(true)
    expect(readFileSync(stamp(), 'utf8')).toBe('stamp text')
    expect((await make(build)).stdout).toBe('')
  })

  test.each([
    ['fails', '1'],
    ['is killed', '(target.mkdir(parents=True), os.kill(os.getpid(), 9))'],
  ])('one that %s leaves no stamp, and the next one starts afresh', async (_, body) => {
    await expect(make(body)).rejects.toThrow(/Command failed/)
    expect(existsSync(stamp())).toBe(false)
    await make(build)
    expect(existsSync(stamp())).toBe(true)
  })
})
