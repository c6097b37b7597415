import { readFile } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { solid } from '@flowers/serve/testing/pictures'
import { startProcess } from '@flowers/serve/testing/process'
import { until } from '@flowers/serve/testing/service'

/** Milliseconds that the service gives its clients here; the defaults are longer. */
const timeouts = {
  FLOWERS_HEADERS_TIMEOUT_MS: '5000',
  FLOWERS_UPLOAD_TIMEOUT_MS: '6000',
  FLOWERS_ANSWER_TIMEOUT_MS: '5000',
  FLOWERS_KEEP_ALIVE_MS: '5000',
}

/** Milliseconds between two bytes, or pieces, of a slow client. */
const dripMs = 100

/** What slow clients met, and what others met meanwhile. */
export interface SlowResult {
  /** By kind, the first line of the answer before the connection was closed, '' without one; how many had it. */
  readonly ends: Readonly<Record<string, Readonly<Record<string, number>>>>
  /** Statuses of good requests while they were there. */
  readonly others: ReadonlyMap<number, number>
  /** The longest of those, in milliseconds. */
  readonly slowestMs: number
  /** Resident bytes that the service had more at most while they were there. */
  readonly bytes: number
  /** Exit code of the service. */
  readonly code: number | null
}

interface SlowClient {
  readonly what: string
  readonly setting: string
  /** Takes a connection that has just been opened; gives what to stop at its end. */
  readonly behave: (socket: Socket) => NodeJS.Timeout | undefined
  /** It never reads, so that only the service can tell that it was cut. */
  readonly deaf?: boolean
  /** First line of the last answer, where it is not that of 408. */
  readonly last?: string
}

const head = 'POST /classify HTTP/1.1\r\nhost: x\r\ncontent-type: image/jpeg\r\n'

function drip(socket: Socket, pieces: ArrayLike<string | Uint8Array>): NodeJS.Timeout {
  let sent = 0
  return setInterval(() => {
    if (socket.writable) socket.write(pieces[sent++ % pieces.length]!)
  }, dripMs)
}

/** Pieces of a body that all clients together keep below what the service holds of bodies, until it cuts them. */
const piece = new Uint8Array(2048)

const clients: readonly SlowClient[] = [
  {
    what: 'headers a byte at a time',
    setting: 'FLOWERS_HEADERS_TIMEOUT_MS',
    behave: (socket) => drip(socket, `${head}${'x-pad: yyyyyyyyyyyyyyyyyyy\r\n'.repeat(1000)}`),
  },
  {
    what: 'a body a byte at a time',
    setting: 'FLOWERS_UPLOAD_TIMEOUT_MS',
    behave: (socket) => {
      socket.write(`${head}content-length: 100000\r\n\r\n`)
      return drip(socket, 'x')
    },
  },
  {
    what: 'a large body in small pieces',
    setting: 'FLOWERS_UPLOAD_TIMEOUT_MS',
    behave: (socket) => {
      socket.write(`${head}content-length: 30000000\r\n\r\n`)
      return drip(socket, [piece])
    },
  },
  { what: 'connected, and nothing more', setting: 'FLOWERS_HEADERS_TIMEOUT_MS', behave: () => undefined },
  {
    what: 'half of the headers, and nothing more',
    setting: 'FLOWERS_HEADERS_TIMEOUT_MS',
    behave: (socket) => void socket.write(head),
  },
  {
    what: 'half of a form, and nothing more',
    setting: 'FLOWERS_UPLOAD_TIMEOUT_MS',
    behave: (socket) =>
      void socket.write(
        `${head.replace('image/jpeg', 'multipart/form-data; boundary=b')}content-length: 100000\r\n\r\n--b\r\ncontent-disposition: form-data; name="img"; filename="a"\r\n\r\nabc`,
      ),
  },
  {
    what: 'an answer that is never read',
    setting: 'FLOWERS_ANSWER_TIMEOUT_MS',
    deaf: true,
    behave: (socket) => {
      socket.pause()
      socket.write('GET /openapi.json HTTP/1.1\r\nhost: x\r\n\r\n'.repeat(100))
      return undefined
    },
  },
  {
    what: 'a connection kept open after its answer',
    setting: 'FLOWERS_KEEP_ALIVE_MS',
    last: 'HTTP/1.1 200 OK',
    behave: (socket) => void socket.write('GET /livez HTTP/1.1\r\nhost: x\r\n\r\n'),
  },
]

export const slowKinds = clients.map(({ what }) => what)

/** What `count` clients of these kinds hear before they are cut: those who hear anything. */
export function lastWords(kinds: readonly string[], count: number): SlowResult['ends'] {
  const hearing = clients.filter(({ what, deaf }) => kinds.includes(what) && !deaf)
  return Object.fromEntries(hearing.map(({ what, last = 'HTTP/1.1 408 Request Timeout' }) => [what, { [last]: count }]))
}

/** Opens `count` connections of each kind to a service of its own, and sends good requests until all are cut. */
export async function slowClients(kinds: readonly string[], count: number): Promise<SlowResult> {
  const asked = clients.filter(({ what }) => kinds.includes(what))
  const hearing = count * asked.filter(({ deaf }) => !deaf).length
  const service = await startProcess(timeouts)
  const port = Number(new URL(service.url).port)
  const sockets: Socket[] = []
  const timers: (NodeJS.Timeout | undefined)[] = []
  const ends: Record<string, Record<string, number>> = {}
  const others = new Map<number, number>()
  const resident = async (): Promise<number> =>
    1024 * Number(/^VmRSS:\s+(\d+) kB$/m.exec(await readFile(`/proc/${service.pid}/status`, 'utf8'))![1])
  const inFlight = async (): Promise<number> => {
    const text = await (await fetch(`${service.url}/metrics`)).text()
    return Number(/^flowers_http_requests_in_flight (\d+)$/m.exec(text)![1])
  }
  let cut = 0
  const open = async ({ what, behave, deaf = false }: SlowClient): Promise<void> => {
    const socket = connect(port, '127.0.0.1')
    sockets.push(socket)
    let text = ''
    socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')))
    socket.on('error', () => {})
    socket.on('close', () => {
      if (deaf) return
      const line = text.slice(0, text.indexOf('\r\n'))
      const those = (ends[what] ??= {})
      those[line] = (those[line] ?? 0) + 1
      cut++
    })
    await new Promise((resolve) => socket.once('connect', resolve))
    timers.push(behave(socket))
  }
  try {
    const picture = new Uint8Array(await solid('#ff0000'))
    let slowestMs = 0
    const good = async (): Promise<void> => {
      const started = performance.now()
      const { status } = await fetch(`${service.url}/classify`, { method: 'POST', body: picture })
      others.set(status, (others.get(status) ?? 0) + 1)
      slowestMs = Math.max(slowestMs, performance.now() - started)
    }
    for (let warm = 0; warm < 20; warm++) await good()
    slowestMs = 0
    others.clear()
    const before = await resident()
    let most = before
    for (const client of asked) {
      for (let opened = 0; opened < count; opened += 100) {
        await Promise.all(Array.from({ length: Math.min(100, count - opened) }, () => open(client)))
        await good()
      }
    }
    // A client that never reads does not hear that it was cut either.
    const over = async (): Promise<boolean> => cut === hearing && (await inFlight()) === 1
    await until(async () => {
      await good()
      most = Math.max(most, await resident())
      return over()
    })
    for (const socket of sockets) socket.destroy()
    await until(async () => (await inFlight()) === 1)
    await good()
    return { ends, others, slowestMs, bytes: most - before, code: await service.stop() }
  } finally {
    for (const timer of timers) clearInterval(timer)
    for (const socket of sockets) socket.destroy()
    await service.stop()
  }
}
