import { randomUUID } from 'node:crypto'
import { mkdirSync, renameSync } from 'node:fs'
import { copyFile, readdir, readFile, rename, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { digestFile, exists, unlessAbsent, withTemporary, type FileDigest } from '../files.ts'
import { assertAsListed } from './listed-file.ts'
import { huggingFaceConfig, huggingFacePreprocessor } from './hugging-face.ts'
import { manifestFormat, manifestSchema, type Manifest } from './manifest.ts'
import { noNames, parseNames, type ModelNames } from './names.ts'
import { SharedError } from '../errors.ts'

/** Names in a model folder. The quantized network is there only when it passed its gate. */
export const modelFiles = {
  manifest: 'manifest.json',
  config: 'config.json',
  preprocessor: 'preprocessor_config.json',
  network: 'onnx/model.onnx',
  quantized: 'onnx/model_quantized.onnx',
  card: 'README.md',
  /** What the network was exported from, for the trainer to start from; models of earlier versions lack it. */
  weights: 'weights.safetensors',
  /** Groups, and names in languages, of labels; optional. */
  names: 'names.csv',
} as const

const required = [modelFiles.config, modelFiles.preprocessor, modelFiles.network, modelFiles.card]

/** A model folder whose files are those of its manifest. Paths are absolute when the folder's is. */
export interface ModelPackage {
  readonly folder: string
  readonly manifest: Manifest
  /** Path of the float32 network. */
  readonly network: string
  /** Path of the quantized network, or null. */
  readonly quantized: string | null
  /** What `names.csv` says; empty without it. */
  readonly names: ModelNames
}

/**
 * Reads a model folder and verifies every file's size and sha256 against the manifest.
 * Throws MODEL_MISSING (no folder or no manifest in it), MODEL_MANIFEST (not JSON, or a field is wrong),
 * MODEL_FORMAT (a format that this release does not know), MODEL_TAMPERED (a file is missing or differs), MODEL_NAMES
 * (`names.csv` cannot be read).
 */
export async function openModel(folder: string): Promise<ModelPackage> {
  const manifest = await readManifest(folder)
  for (const [path, expected] of Object.entries(manifest.files)) {
    const actual = await unlessAbsent(digestFile(join(folder, path)))
    if (!actual) throw new SharedError('MODEL_TAMPERED', `${join(folder, path)} is missing.`)
    assertAsListed(join(folder, path), actual, expected)
  }
  const quantized = modelFiles.quantized in manifest.files ? join(folder, modelFiles.quantized) : null
  const names = await readNames(folder, manifest, folder)
  return { folder, manifest, network: join(folder, modelFiles.network), quantized, names }
}

/** `called`: the folder as messages call it. */
async function readNames(
  folder: string,
  { files, labels }: Pick<Manifest, 'files' | 'labels'>,
  called: string,
): Promise<ModelNames> {
  if (!(modelFiles.names in files)) return noNames
  return parseNames(await readFile(join(folder, modelFiles.names)), labels, join(called, modelFiles.names))
}

/** Reads and checks the manifest alone. Throws MODEL_MISSING, MODEL_MANIFEST, MODEL_FORMAT. */
export async function readManifest(folder: string): Promise<Manifest> {
  const path = join(folder, modelFiles.manifest)
  const text = await unlessAbsent(readFile(path, 'utf8')).catch((error: unknown) => {
    throw new SharedError('MODEL_MANIFEST', `${path} cannot be read: ${String(error)}`, { cause: error })
  })
  if (text === undefined) throw new SharedError('MODEL_MISSING', `${path} does not exist.`)
  return parseManifest(text, path)
}

function parseManifest(text: string, path: string): Manifest {
  let content: unknown
  try {
    content = JSON.parse(text)
  } catch (error) {
    const what = text.trim() === '' ? 'it is empty' : 'it breaks off or holds something else'
    throw new SharedError('MODEL_MANIFEST', `${path} is not JSON: ${what}.`, { cause: error })
  }
  const format = typeof content === 'object' && content !== null && 'format' in content ? content.format : undefined
  if (format !== undefined && format !== manifestFormat) {
    throw new SharedError('MODEL_FORMAT', `${path} has format ${JSON.stringify(format)}; ${manifestFormat} is known.`)
  }
  const parsed = manifestSchema.safeParse(content)
  if (!parsed.success) {
    const first = parsed.error.issues[0]
    const place = first?.path.join('.') ?? ''
    throw new SharedError('MODEL_MANIFEST', `${path}: ${place ? `${place}: ` : ''}${first?.message ?? 'wrong'}.`)
  }
  const absent = required.find((file) => !(file in parsed.data.files))
  if (absent) throw new SharedError('MODEL_MANIFEST', `${path} does not list ${absent}.`)
  return parsed.data
}

/** What a file of a new model is made of: its content, or a file to copy. */
export type FileSource = string | Uint8Array | { readonly copyOf: string }

/**
 * Writes a model folder so that it exists whole or not at all: a temporary folder beside it, renamed at the end.
 * `files` holds at least {@link modelFiles}`.network` and `.card`; the Hugging Face files are made from the manifest.
 * Throws MODEL_EXISTS when the folder is there and `replace` is not set, MODEL_MANIFEST when the manifest is wrong,
 * MODEL_NAMES when `names.csv` is.
 */
export async function packageModel(
  folder: string,
  files: Readonly<Record<string, FileSource>>,
  manifest: Omit<Manifest, 'files'>,
  options: { replace?: boolean } = {},
): Promise<ModelPackage> {
  if (!options.replace && (await exists(folder))) throw new SharedError('MODEL_EXISTS', `${folder} exists.`)
  const sources: Record<string, FileSource> = {
    [modelFiles.config]: json(huggingFaceConfig(manifest)),
    [modelFiles.preprocessor]: json(huggingFacePreprocessor(manifest.preprocessing)),
    ...files,
  }
  const manifestPath = join(folder, modelFiles.manifest)
  const unmeasured = Object.keys(sources).map((path) => [path, { sha256: '0'.repeat(64), bytes: 0 }])
  parseManifest(json({ ...manifest, files: Object.fromEntries(unmeasured) }), manifestPath)
  await withTemporary(`${folder}.${randomUUID()}.tmp`, async (temporary) => {
    const listed: Record<string, FileDigest> = {}
    for (const [path, source] of Object.entries(sources)) {
      const target = join(temporary, path)
      mkdirSync(dirname(target), { recursive: true })
      await put(source, target)
      listed[path] = await digestFile(target)
    }
    await readNames(temporary, { files: listed, labels: manifest.labels }, folder)
    await writeFile(join(temporary, modelFiles.manifest), json({ ...manifest, files: listed }))
    if (options.replace && (await exists(folder))) await exchange(folder, temporary)
    else await renameNew(temporary, folder)
  })
  return openModel(folder)
}

/** Throws MODEL_EXISTS where another process was first. */
async function renameNew(fresh: string, folder: string): Promise<void> {
  await rename(fresh, folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error
    throw new SharedError('MODEL_EXISTS', `${folder} exists.`, { cause: error })
  })
}

/** Puts `fresh` in the place of `folder`. What was there is moved aside before and deleted after, so nothing is lost. */
async function exchange(folder: string, fresh: string): Promise<void> {
  const old = `${folder}.${randomUUID()}.old`
  // Without a moment in between at which the process could be told to end.
  renameSync(folder, old)
  try {
    renameSync(fresh, folder)
  } catch (error) {
    renameSync(old, folder)
    throw error
  }
  await withTemporary(old, async () => {})
}

async function put(source: FileSource, target: string): Promise<void> {
  if (typeof source === 'string' || source instanceof Uint8Array) await writeFile(target, source)
  else await copyFile(source.copyOf, target)
}

/** A model of a models folder: `<models>/<name>/<version>`. */
export interface ListedModel {
  readonly name: string
  /** Ascending; the last one serves. */
  readonly versions: readonly number[]
}

/** The models of a folder, by name: every folder that holds a folder whose name is a positive integer with a manifest. */
export async function listModels(modelsFolder: string): Promise<ListedModel[]> {
  const models: ListedModel[] = []
  for (const name of await foldersOf(modelsFolder)) {
    const versions: number[] = []
    for (const version of await foldersOf(join(modelsFolder, name))) {
      if (!/^[1-9]\d*$/.test(version)) continue
      if (await exists(join(modelsFolder, name, version, modelFiles.manifest))) versions.push(Number(version))
    }
    if (versions.length > 0) models.push({ name, versions: versions.sort((a, b) => a - b) })
  }
  return models.sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** Where a model is. */
export interface ModelLocation {
  readonly name: string
  readonly version: number
  readonly folder: string
}

/**
 * The folder that serves for `name`, or for the name in the text file `<models>/default` when none is given: its
 * highest version. Throws MODEL_MISSING, with the names that exist.
 */
export async function resolveModel(modelsFolder: string, name?: string): Promise<ModelLocation> {
  const wanted = name ?? (await defaultName(modelsFolder))
  return locate(modelsFolder, wanted, ` in ${modelsFolder}`)
}

/**
 * The folder that serves for a name which a client gave: its highest version. Throws MODEL_MISSING, with the names that
 * exist but not where they are, which is no matter of clients.
 */
export function findModel(modelsFolder: string, name: string): Promise<ModelLocation> {
  return locate(modelsFolder, name, '')
}

async function locate(modelsFolder: string, wanted: string, where: string): Promise<ModelLocation> {
  const models = await listModels(modelsFolder)
  const found = models.find((model) => model.name === wanted)
  const version = found?.versions.at(-1)
  if (!found || version === undefined) {
    const names = models.map((model) => model.name).join(', ') || 'none'
    throw new SharedError('MODEL_MISSING', `There is no model ${JSON.stringify(wanted)}${where}; there are: ${names}.`)
  }
  return { name: found.name, version, folder: join(modelsFolder, found.name, String(version)) }
}

async function defaultName(modelsFolder: string): Promise<string> {
  const path = join(modelsFolder, 'default')
  const name = await unlessAbsent(readFile(path, 'utf8'))
  if (name === undefined)
    throw new SharedError('MODEL_MISSING', `${path}, which names the model to serve, does not exist.`)
  return name.trim()
}

async function foldersOf(folder: string): Promise<string[]> {
  const entries = (await unlessAbsent(readdir(folder, { withFileTypes: true }))) ?? []
  return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name)
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`
}
