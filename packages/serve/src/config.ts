import { isIP } from 'node:net'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { viewPolicies } from '@flowers/shared/model/views'
import { z } from 'zod'
import { ServiceError } from './errors.ts'

/** One setting: an environment variable, a flag, a line of `--help`. */
interface Setting<Value = unknown> {
  readonly variable: string
  /** Reads the text of the variable or flag. */
  readonly schema: z.ZodType<Value, string>
  /** Text that is read when neither the variable nor the flag is given; null: the setting is absent. */
  readonly fallback: string | null
  /** What a value has to be, to finish the sentence "... must be ...". */
  readonly expected: string
  readonly about: string
  /** Text that is read when the flag stands alone; where there is none, a flag needs a value. */
  readonly alone?: string
  /** The value is never shown. */
  readonly secret?: boolean
}

const integer = (low: number, high: number) =>
  z
    .string()
    .regex(/^\d{1,9}$/)
    .transform(Number)
    .pipe(z.number().min(low).max(high))

/** A setting that is an integer from `low` to `high`. */
const range = (low: number, high: number) => ({
  schema: integer(low, high),
  expected: `an integer from ${low} to ${high}`,
})

const off = z.literal('off').transform(() => null)

/** Values between commas; each has to pass `value`. */
const listOf = (value: z.ZodType<string, string>) =>
  z
    .string()
    .transform((text) => text.split(',').map((value) => value.trim()))
    .pipe(z.array(value).min(1))

/** An address, or a network of at least one fixed bit. */
function isNetwork(text: string): boolean {
  const [, address = '', bits] = /^([\da-fA-F.:]+)(?:\/(\d{1,3}))?$/.exec(text) ?? []
  const version = isIP(address)
  if (version === 0 || bits === undefined) return version !== 0
  return Number(bits) >= 1 && Number(bits) <= (version === 4 ? 32 : 128)
}

/** What a header can carry and a shell does not split. */
const token = z.string().regex(/^[\x21-\x7e]+$/)

const integerOrAuto = (high: number) => z.union([z.literal('auto').transform(() => null), integer(1, high)])

const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const

/** Every setting of the service, once. */
export const settings = {
  port: {
    variable: 'PORT',
    ...range(0, 65_535),
    fallback: '3000',
    about: 'Port to listen on; 0 takes a free one.',
  },
  host: {
    variable: 'HOST',
    schema: z.string().regex(/^\S+$/),
    fallback: '127.0.0.1',
    expected: 'an address or host name',
    about: 'Address to listen on; 0.0.0.0 for all.',
  },
  lan: {
    variable: 'FLOWERS_LAN',
    schema: z.enum(['on', 'off']).transform((text) => text === 'on'),
    fallback: 'off',
    expected: 'on or off',
    about: 'on, or --lan alone: listens for the whole network, whatever HOST says; prints the address and its QR code.',
    alone: 'on',
  },
  modelsDir: {
    variable: 'MODELS_DIR',
    schema: z
      .string()
      .min(1)
      .transform((path) => resolve(path)),
    fallback: 'models',
    expected: 'a folder',
    about: 'Folder that holds <name>/<version>/ of each model.',
  },
  model: {
    variable: 'MODEL',
    schema: z.string().min(1),
    fallback: null,
    expected: 'the name of a model',
    about: 'Model that answers when a request names none; without it the name in the file "default" of MODELS_DIR.',
  },
  views: {
    variable: 'FLOWERS_TTA',
    schema: z.union([z.literal('model').transform(() => null), z.enum(viewPolicies)]),
    fallback: 'model',
    expected: `model or one of ${viewPolicies.join(', ')}`,
    about: 'Views of a request that does not say: what the model was measured with, or one policy for all.',
  },
  defaultDeadlineMs: {
    variable: 'FLOWERS_DEFAULT_DEADLINE_MS',
    ...range(1, 600_000),
    fallback: '30000',
    about: 'Milliseconds until a request without X-Request-Timeout-Ms is answered with 504.',
  },
  queueLimit: {
    variable: 'FLOWERS_QUEUE_LIMIT',
    ...range(1, 100_000),
    fallback: '64',
    about:
      'Images that may wait; a request that does not fit is answered with 503 and Retry-After, or 413 if it never will.',
  },
  workers: {
    variable: 'FLOWERS_WORKERS',
    schema: integerOrAuto(256),
    fallback: 'auto',
    expected: 'auto or an integer from 1 to 256',
    about: 'Worker threads, each with one ONNX session; auto follows the CPU quota and the size of the model.',
  },
  threads: {
    variable: 'FLOWERS_THREADS',
    schema: integerOrAuto(256),
    fallback: 'auto',
    expected: 'auto or an integer from 1 to 256',
    about: 'Threads of each ONNX session; auto shares the CPU quota among the workers.',
  },
  batch: {
    variable: 'FLOWERS_BATCH',
    schema: integerOrAuto(16),
    fallback: 'auto',
    expected: 'auto or an integer from 1 to 16',
    about:
      'Views that a worker runs at once, of one or several images; auto measures once what is fastest and keeps it.',
  },
  watchMs: {
    variable: 'FLOWERS_WATCH_MS',
    schema: z.union([off, integer(10, 3_600_000)]),
    fallback: '2000',
    expected: 'off or an integer from 10 to 3600000',
    about: 'Milliseconds between looks at MODELS_DIR; a loaded model is reloaded once its folder has changed.',
  },
  bodyLimitMb: {
    variable: 'FLOWERS_BODY_LIMIT_MB',
    ...range(1, 1024),
    fallback: '32',
    about: 'Millions of bytes that the images of one request may have together.',
  },
  jsonLimitMb: {
    variable: 'FLOWERS_JSON_LIMIT_MB',
    ...range(1, 1024),
    fallback: '4',
    about:
      'Millions of bytes of JSON under /v2, which delays other requests while it is read; larger tensors are binary.',
  },
  imagesLimit: {
    variable: 'FLOWERS_IMAGES_LIMIT',
    ...range(1, 1000),
    fallback: '16',
    about: 'Images that one multipart request may have.',
  },
  pixelLimitMp: {
    variable: 'FLOWERS_PIXEL_LIMIT_MP',
    ...range(1, 1000),
    fallback: '64',
    about: 'Millions of pixels that an image may have, read from its header before it is decoded.',
  },
  decodeTimeoutMs: {
    variable: 'FLOWERS_DECODE_TIMEOUT_MS',
    ...range(1, 600_000),
    fallback: '10000',
    about: 'Milliseconds that decoding and resizing an image may take; then 422. Decoders stop at whole seconds.',
  },
  uploadMemoryMb: {
    variable: 'FLOWERS_UPLOAD_MEMORY_MB',
    ...range(1, 1_000_000),
    fallback: '256',
    about: 'Megabytes that bodies of all requests, unpacked or as tensors, take while received and answered; then 503.',
  },
  headersTimeoutMs: {
    variable: 'FLOWERS_HEADERS_TIMEOUT_MS',
    ...range(100, 600_000),
    fallback: '10000',
    about: 'Milliseconds that a client has for the headers of a request, from its connection on; then 408.',
  },
  uploadTimeoutMs: {
    variable: 'FLOWERS_UPLOAD_TIMEOUT_MS',
    ...range(100, 600_000),
    fallback: '120000',
    about: 'Milliseconds that a client has to send a whole request, its body included; then 408.',
  },
  answerTimeoutMs: {
    variable: 'FLOWERS_ANSWER_TIMEOUT_MS',
    ...range(100, 600_000),
    fallback: '30000',
    about: 'Milliseconds that a client has to take its answer; then the connection is closed.',
  },
  keepAliveMs: {
    variable: 'FLOWERS_KEEP_ALIVE_MS',
    // For Node, 0 is forever.
    ...range(1, 600_000),
    fallback: '72000',
    about: 'Milliseconds that a connection stays open after an answer; longer than the proxy before it keeps one.',
  },
  token: {
    variable: 'FLOWERS_TOKEN',
    schema: token,
    fallback: null,
    expected: 'printable characters without spaces',
    about: 'Token that clients send as "Authorization: Bearer"; without it the service answers every client.',
    secret: true,
  },
  adminToken: {
    variable: 'FLOWERS_ADMIN_TOKEN',
    schema: token,
    fallback: null,
    expected: 'printable characters without spaces',
    about: 'Token for loading and unloading models; without it the service refuses both.',
    secret: true,
  },
  rateLimit: {
    variable: 'FLOWERS_RATE_LIMIT',
    schema: z.union([off, integer(1, 1_000_000)]),
    fallback: 'off',
    expected: 'off or an integer from 1 to 1000000',
    about: 'Requests a minute from one address; more are answered with 429. Probes and pages do not count.',
  },
  trustedProxies: {
    variable: 'FLOWERS_TRUSTED_PROXIES',
    schema: z.union([off, listOf(z.string().refine(isNetwork))]),
    fallback: 'off',
    expected: 'off or addresses and networks such as 127.0.0.1,10.0.0.0/8',
    about: 'Proxies whose X-Forwarded-For names the address of the client.',
  },
  corsOrigins: {
    variable: 'FLOWERS_CORS_ORIGINS',
    schema: z.union([off, z.literal('*'), listOf(z.string().regex(/^https?:\/\/[^\s/,]+$/))]),
    fallback: 'off',
    expected: 'off, * or origins such as https://flowers.example',
    about: 'Origins whose pages may ask from a browser (CORS); separated by commas.',
  },
  otlpEndpoint: {
    variable: 'OTEL_EXPORTER_OTLP_ENDPOINT',
    schema: z
      .string()
      .regex(/^https?:\/\/[^\s/]+/)
      .refine((text) => URL.canParse(text)),
    fallback: null,
    expected: 'an address such as http://localhost:4318',
    about: 'Collector that traces are sent to (OpenTelemetry, OTLP over HTTP); without it none are made.',
  },
  logLevel: {
    variable: 'FLOWERS_LOG_LEVEL',
    schema: z.enum(logLevels),
    fallback: 'info',
    expected: `one of ${logLevels.join(', ')}`,
    about: 'Lines of the log, as JSON on standard output; probes and scrapes are at debug.',
  },
  drainDelayMs: {
    variable: 'FLOWERS_DRAIN_DELAY_MS',
    ...range(0, 600_000),
    fallback: '0',
    about: 'Milliseconds between SIGTERM, when /readyz turns to 503, and the end of listening.',
  },
  shutdownGraceMs: {
    variable: 'FLOWERS_SHUTDOWN_GRACE_MS',
    ...range(0, 600_000),
    fallback: '25000',
    about: 'Milliseconds that admitted requests have to finish after that; the rest is answered with 503.',
  },
} as const satisfies Record<string, Setting>

type Settings = typeof settings

/** The settings, read: names as in {@link settings}. `auto` and `model` are null. */
export type Config = {
  readonly [Name in keyof Settings]:
    | z.output<Settings[Name]['schema']>
    | (Settings[Name]['fallback'] extends null ? null : never)
}

/** `FLOWERS_QUEUE_LIMIT` is `--queue-limit`, `MODELS_DIR` is `--models-dir`. */
export function flagOf(variable: string): string {
  return variable
    .replace(/^FLOWERS_/, '')
    .toLowerCase()
    .replaceAll('_', '-')
}

/**
 * Reads flags, then variables, then defaults. An empty variable counts as absent. Null when `--help` was asked for.
 * Throws SERVICE_CONFIGURATION with a sentence that names the flag or variable and its value.
 */
export function readConfig(
  argv: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): Config | null {
  const flags = readFlags(argv)
  if (flags['help'] === true) return null
  const config = Object.entries(settings).map(([name, setting]: [string, Setting]) => {
    const flag = flags[flagOf(setting.variable)]
    const [source, text] =
      typeof flag === 'string'
        ? [`--${flagOf(setting.variable)}`, flag]
        : [setting.variable, environment[setting.variable] || setting.fallback]
    return [name, text === null ? null : readSetting(setting, source, text)]
  })
  return Object.fromEntries(config) as Config
}

function readSetting(setting: Setting, source: string, text: string): unknown {
  const parsed = setting.schema.safeParse(text)
  if (parsed.success) return parsed.data
  const given = setting.secret ? '' : `, not ${JSON.stringify(text)}`
  throw new ServiceError('SERVICE_CONFIGURATION', `${source} must be ${setting.expected}${given}.`)
}

function readFlags(argv: readonly string[]): Record<string, string | boolean | undefined> {
  const options: Record<string, { type: 'string' | 'boolean'; short?: string }> = {
    help: { type: 'boolean', short: 'h' },
  }
  for (const { variable } of Object.values(settings)) options[flagOf(variable)] = { type: 'string' }
  try {
    return parseArgs({ args: argv.map(withValue), options, allowPositionals: false }).values
  } catch (error) {
    const reason = error instanceof Error ? error.message.split('. ')[0]! : String(error)
    throw new ServiceError('SERVICE_CONFIGURATION', `${reason}.`, { cause: error })
  }
}

/** A flag that may stand alone, with its value where it does. */
function withValue(word: string, index: number, argv: readonly string[]): string {
  const setting: Setting | undefined = Object.values(settings).find(({ variable }) => word === `--${flagOf(variable)}`)
  const isAlone = setting?.alone !== undefined && !/^[^-]/.test(argv[index + 1] ?? '')
  return isAlone ? `${word}=${setting.alone}` : word
}

/** The text of `--help`. */
export function helpText(): string {
  const lines = Object.values(settings).flatMap(({ variable, fallback, about }) => [
    `  --${flagOf(variable)} `.padEnd(25) + variable.padEnd(30) + (fallback === null ? '' : `default ${fallback}`),
    `      ${about}`,
  ])
  return [
    'Serves a flower model over HTTP: POST /classify, GET /livez, /readyz, /metrics.',
    '',
    'Every setting is a flag or an environment variable; the flag wins.',
    '',
    ...lines.map((line) => line.trimEnd()),
    '  -h, --help',
    '      Print this text.',
    '',
  ].join('\n')
}
