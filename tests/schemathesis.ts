import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { solid } from '@flowers/serve/testing/pictures'
import { startProcess } from '@flowers/serve/testing/process'
import { testPython } from './python-environment.ts'

const run = promisify(execFile)
const path = (name: string): string => fileURLToPath(new URL(name, import.meta.url))

const token = 'admin-1'

interface Report {
  /** What Schemathesis printed. */
  readonly text: string
  /** Requests that it made up. */
  readonly cases: number
  readonly failed: boolean
  /** Exit code of the service. */
  readonly code: number | null
}

/** Schemathesis, all checks and phases, against /openapi.json of a service of its own: `examples` for each operation. */
export async function runSchemathesis(options: { examples: number; seed: number }): Promise<Report> {
  const python = await testPython()
  const folder = await mkdtemp(join(tmpdir(), 'flowers-schemathesis-'))
  const service = await startProcess({ FLOWERS_ADMIN_TOKEN: token, FLOWERS_LOG_LEVEL: 'info' })
  try {
    const pictures = join(folder, 'pictures')
    await mkdir(pictures)
    for (const format of ['jpeg', 'png', 'webp'] as const)
      await writeFile(join(pictures, format), await solid('#ff0000', format, 8))
    const { text, failed } = await run(
      join(dirname(python), 'schemathesis'),
      [
        '--config-file',
        path('fixtures/schemathesis.toml'),
        '--no-color',
        'run',
        `${service.url}/openapi.json`,
        '--header',
        `Authorization: Bearer ${token}`,
        '--max-examples',
        String(options.examples),
        '--seed',
        String(options.seed),
        '--generation-database',
        'none',
        '--request-timeout',
        '60',
        '--continue-on-failure',
      ],
      {
        cwd: folder,
        env: {
          ...process.env,
          PYTHONPATH: path('fixtures'),
          PYTHONDONTWRITEBYTECODE: '1',
          SCHEMATHESIS_HOOKS: 'schemathesis_hooks',
          FLOWERS_PICTURES: pictures,
        },
        maxBuffer: 1e8,
      },
    ).then(
      ({ stdout }) => ({ text: stdout, failed: false }),
      (error: { stdout: string; stderr: string }) => ({ text: error.stdout + error.stderr, failed: true }),
    )
    const cases = Number(/([\d,]+) generated/.exec(text)?.[1]?.replaceAll(',', '') ?? 0)
    return { text, cases, failed, code: await service.stop() }
  } finally {
    await service.stop()
    await rm(folder, { recursive: true })
  }
}
