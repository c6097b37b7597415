import { spawn } from 'node:child_process'
import { openSync } from 'node:fs'
import { cp, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { quarters } from '@flowers/serve/testing/pictures'
import { serviceProgram, startProcess, type ServiceProcess } from '@flowers/serve/testing/process'
import { until } from '@flowers/serve/testing/service'

/** A model folder to serve: `<name>/<version>` below `models`. */
export interface ServedModel {
  readonly models: string
  readonly name: string
  readonly version: number
}

/** What happened to the requests of clients while something broke. */
export interface Outcome {
  /** Statuses of all requests. */
  readonly statuses: Readonly<Record<number, number>>
  /** Answers whose label is not that of before. */
  readonly wrong: number
  /** What the fault was answered with, or a word on it. */
  readonly facts: Readonly<Record<string, number | string>>
  /** Exit code of the service at SIGTERM. */
  readonly code: number | null
}

const token = 'admin-1'
const clients = 4
const pictures = 8
const killer = fileURLToPath(new URL('../fixtures/kill-threads.cjs', builtAs(import.meta.url)))

/** The fixtures lie beside the source, also of what was built. */
function builtAs(url: string): string {
  return url.replace('/tests/dist/', '/tests/')
}

interface Scene {
  readonly service: ServiceProcess
  /** The copy that is served, to be broken. */
  readonly models: string
  readonly folder: string
  readonly model: ServedModel
  readonly metric: (series: string) => Promise<number>
  /** Status of the command to load the model. */
  readonly load: () => Promise<number>
  /** Waits until so many more requests were answered. */
  readonly more: (count: number) => Promise<void>
}

interface Fault {
  readonly environment?: Record<string, string>
  /** What starts the service in place of Node. */
  readonly before?: readonly string[]
  readonly act: (scene: Scene) => Promise<Record<string, number | string>>
}

/** Adds the next version, its network changed in the middle. */
async function addCorruptVersion({ models, model }: Scene): Promise<string> {
  const { name, version } = model
  const folder = join(models, name, String(version + 1))
  const whole = `${folder}.tmp`
  await cp(join(models, name, String(version)), whole, { recursive: true })
  const manifest = JSON.parse(await readFile(join(whole, 'manifest.json'), 'utf8')) as Record<string, unknown>
  await writeFile(join(whole, 'manifest.json'), JSON.stringify({ ...manifest, version: version + 1 }))
  await corrupt(whole)
  await rename(whole, folder)
  return folder
}

async function corrupt(folder: string): Promise<void> {
  const file = join(folder, 'onnx', 'model.onnx')
  const bytes = await readFile(file)
  bytes[bytes.length >> 1]! ^= 1
  await writeFile(file, bytes)
}

/** Field numbers of ONNX (onnx.proto) on the way to the values of a constant, and its type float32. */
const proto = { graph: 7, initializer: 5, dataType: 2, rawData: 9, float: 1 } as const

/** The fields of a protobuf message: numbers, and where the bytes of the others are. */
function* fieldsOf(message: Buffer): Generator<{ field: number; value: number; bytes: Buffer }> {
  let at = 0
  const varint = (): number => {
    let value = 0
    for (let scale = 1; ; scale *= 128) {
      const byte = message[at++]!
      value += (byte & 127) * scale
      if (byte < 128) return value
    }
  }
  while (at < message.length) {
    const key = varint()
    const kind = key & 7
    const value = kind === 0 || kind === 2 ? varint() : 0
    const length = kind === 2 ? value : kind === 1 ? 8 : kind === 5 ? 4 : 0
    yield { field: key >>> 3, value, bytes: message.subarray(at, at + length) }
    at += length
  }
}

/** Changes the sign of every weight: a network that runs as before and answers otherwise. */
async function turnWeights(folder: string): Promise<void> {
  const file = join(folder, 'onnx', 'model.onnx')
  const bytes = await readFile(file)
  const inside = (message: Buffer, wanted: number): Buffer[] =>
    [...fieldsOf(message)].filter(({ field }) => field === wanted).map((each) => each.bytes)
  for (const constant of inside(bytes, proto.graph).flatMap((graph) => inside(graph, proto.initializer))) {
    if (![...fieldsOf(constant)].some(({ field, value }) => field === proto.dataType && value === proto.float)) continue
    // The highest bit of a little-endian float32.
    for (const raw of inside(constant, proto.rawData)) for (let at = 3; at < raw.length; at += 4) raw[at]! ^= 0x80
  }
  await writeFile(file, bytes)
}

/** A signal to reload that was heard: so many reloads have failed. */
const failedReloads = ({ metric, model }: Scene): Promise<number> =>
  metric(`flowers_model_reloads_total{model="${model.name}",result="failed"}`)

/** What can break while it serves. */
const faults: Readonly<Record<string, Fault>> = {
  'threads that die': {
    environment: { NODE_OPTIONS: `--require ${killer}` },
    act: async ({ service, metric, more, model }) => {
      const lost = (): Promise<number> => metric(`flowers_workers_lost_total{model="${model.name}"}`)
      const workers = await metric('flowers_workers')
      let killed = 0
      // Threads that decode and threads that infer die in turn; those that infer are counted.
      while ((await lost()) < 2 || killed < 4) {
        service.signal('SIGUSR2')
        killed++
        await more(10)
        await until(async () => (await metric('flowers_workers')) === workers)
      }
      return { killed, 'inference workers lost': await lost() }
    },
  },
  'a model file that is changed, then a thread that dies': {
    environment: { NODE_OPTIONS: `--require ${killer}`, FLOWERS_WORKERS: '2', FLOWERS_THREADS: '1' },
    act: async (scene) => {
      const { service, metric, more, model, models, folder } = scene
      const lost = (): Promise<number> => metric(`flowers_workers_lost_total{model="${model.name}"}`)
      const network = join(model.name, String(model.version), 'onnx', 'model.onnx')
      await turnWeights(folder)
      // Threads that decode die in turn with those that infer.
      while ((await lost()) < 1) {
        service.signal('SIGUSR2')
        await more(20)
      }
      // Those that follow it must not start: the other worker answers all.
      await until(async () => (await lost()) >= 3 || (await metric('flowers_workers')) === 2)
      await more(20)
      const workers = await metric('flowers_workers')
      await cp(join(model.models, network), join(models, network))
      await until(async () => (await metric('flowers_workers')) === 2)
      await more(10)
      return { 'workers while the file differed': workers }
    },
  },
  'a model folder that is removed': {
    act: async (scene) => {
      await rm(join(scene.models, scene.model.name), { recursive: true })
      await scene.more(10)
      const status = await scene.load()
      await scene.more(10)
      return { 'POST /v2/repository/models/<name>/load': status }
    },
  },
  'a model file that is changed while it serves': {
    act: async (scene) => {
      await corrupt(scene.folder)
      await scene.more(10)
      const status = await scene.load()
      scene.service.signal('SIGHUP')
      await until(async () => (await failedReloads(scene)) >= 2)
      await scene.more(10)
      return { 'POST /v2/repository/models/<name>/load': status, 'reloads refused': await failedReloads(scene) }
    },
  },
  'a new version that is corrupt': {
    environment: { FLOWERS_WATCH_MS: '100' },
    act: async (scene) => {
      await addCorruptVersion(scene)
      await until(async () => (await failedReloads(scene)) >= 1)
      const status = await scene.load()
      await scene.more(10)
      const { name, version } = scene.model
      const metrics = await (await fetch(`${scene.service.url}/metrics`)).text()
      const serving = [...metrics.matchAll(/^flowers_model_info\{model="(.+?)",version="(\d+)".*\} 1$/gm)]
      if (serving.some(([, , serves]) => serves !== String(version))) throw new Error(`${name}: a wrong version serves`)
      return { 'POST /v2/repository/models/<name>/load': status }
    },
  },
  'a disk on which no byte can be written': {
    // The kernel refuses every write to a file; the temporary folder is none.
    before: ['prlimit', '--fsize=0'],
    environment: { TMPDIR: '/nowhere', HOME: '/nowhere' },
    act: async ({ more, load }) => {
      await more(20)
      return { 'POST /v2/repository/models/<name>/load': await load() }
    },
  },
}

export const faultNames = Object.keys(faults)

/** Serves a copy of the model to clients that ask all the time, breaks something, and looks at every answer. */
export async function meetFault(name: string, model: ServedModel): Promise<Outcome> {
  const { environment, before, act } = faults[name]!
  const models = await mkdtemp(join(tmpdir(), 'flowers-faults-'))
  const folder = join(models, model.name, String(model.version))
  await cp(join(model.models, model.name, String(model.version)), folder, { recursive: true })
  const settings = { MODELS_DIR: models, MODEL: model.name, FLOWERS_ADMIN_TOKEN: token, FLOWERS_WATCH_MS: 'off' }
  const service = await startProcess({ ...settings, ...environment }, before)
  const statuses: Record<number, number> = {}
  let answered = 0
  let wrong = 0
  let stopped = false
  const bodies = await Promise.all(Array.from({ length: pictures }, (_, seed) => quarters(seed)))
  const ask = async (index: number): Promise<{ status: number; label: string | undefined }> => {
    // By name, so that the service does not look at it fewer times when several clients ask.
    const response = await fetch(`${service.url}/classify?tta=exact`, {
      method: 'POST',
      body: Uint8Array.from(bodies[index]!),
    })
    const answer = (await response.json()) as { predictions?: { label: string }[] }
    return { status: response.status, label: answer.predictions?.[0]?.label }
  }
  try {
    const right: (string | undefined)[] = []
    for (let index = 0; index < pictures; index++) right.push((await ask(index)).label)
    const load = Array.from({ length: clients }, async (_, client) => {
      for (let count = client; !stopped; count++) {
        const { status, label } = await ask(count % pictures)
        statuses[status] = (statuses[status] ?? 0) + 1
        if (status === 200 && label !== right[count % pictures]) wrong++
        answered++
      }
    })
    const metric = async (series: string): Promise<number> => {
      const text = await (await fetch(`${service.url}/metrics`)).text()
      const line = text.split('\n').find((each) => each.startsWith(`${series} `))
      return Number(line?.slice(series.length + 1) ?? 0)
    }
    const more = async (count: number): Promise<void> => {
      const goal = answered + count
      await until(() => answered >= goal)
    }
    await more(10)
    const command = async (): Promise<number> => {
      const url = `${service.url}/v2/repository/models/${model.name}/load`
      return (await fetch(url, { method: 'POST', headers: { authorization: `Bearer ${token}` } })).status
    }
    const facts = await act({ service, models, folder, model, metric, load: command, more })
    await more(10)
    stopped = true
    await Promise.all(load)
    await until(async () => (await metric('flowers_queue_depth')) === 0 && (await metric('flowers_workers_busy')) === 0)
    return { statuses, wrong, facts, code: await service.stop() }
  } finally {
    stopped = true
    await service.stop()
    await rm(models, { recursive: true })
  }
}

/** Starts the service with a model whose network was changed: its exit code and what it printed. */
export async function startWithCorruptModel(model: ServedModel): Promise<{ code: number | null; said: string }> {
  const models = await mkdtemp(join(tmpdir(), 'flowers-faults-'))
  try {
    const folder = join(models, model.name, String(model.version))
    await cp(join(model.models, model.name, String(model.version)), folder, { recursive: true })
    await corrupt(folder)
    const child = spawn(process.execPath, [serviceProgram], {
      env: { PATH: process.env['PATH'], MODELS_DIR: models, MODEL: model.name, PORT: '0' },
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    let said = ''
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => (said += chunk))
    const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
    return { code, said }
  } finally {
    await rm(models, { recursive: true })
  }
}

/** Starts the service with its log on a disk that is full (/dev/full), asks it, and stops it by SIGTERM. */
export async function logToFullDisk(
  model: ServedModel,
  port: number,
): Promise<{ status: number; code: number | null }> {
  const child = spawn(process.execPath, [serviceProgram], {
    env: { PATH: process.env['PATH'], MODELS_DIR: model.models, MODEL: model.name, PORT: String(port) },
    stdio: ['ignore', openSync('/dev/full', 'w'), 'inherit'],
  })
  const exit = new Promise<number | null>((resolve) => child.once('exit', resolve))
  const url = `http://127.0.0.1:${port}`
  await until(async () => child.exitCode !== null || ((await fetch(`${url}/readyz`).catch(() => null))?.ok ?? false))
  const { status } = await fetch(`${url}/classify`, { method: 'POST', body: Uint8Array.from(await quarters(1)) })
  child.kill('SIGTERM')
  return { status, code: await exit }
}
