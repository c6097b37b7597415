import { connect } from 'node:net'

/** What came back over a connection: null where it was closed without an answer. */
export interface RawAnswer {
  readonly status: number
  readonly headers: ReadonlyMap<string, string>
  readonly body: string
}

/** The connection was neither answered nor closed in time. */
export class Hang extends Error {}

interface Sending {
  readonly port: number
  readonly bytes: Uint8Array
  /** Close our side after the bytes: nothing more will come. */
  readonly halfClose: boolean
  /** The answer to HEAD has no body. */
  readonly head?: boolean
  /** Read so many answers, one after the other, and give the last. */
  readonly answers?: number
  readonly patienceMs?: number
}

/** Sends bytes as they are and reads the answer. Rejects with {@link Hang}. */
export function exchange({
  port,
  bytes,
  halfClose,
  head = false,
  answers = 1,
  patienceMs = 60_000,
}: Sending): Promise<RawAnswer | null> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1')
    const chunks: Buffer[] = []
    const timer = setTimeout(() => {
      socket.destroy()
      reject(
        new Hang(
          `No answer in ${patienceMs} ms; so far: ${JSON.stringify(Buffer.concat(chunks).toString('latin1').slice(0, 200))}`,
        ),
      )
    }, patienceMs)
    const finish = (): void => {
      clearTimeout(timer)
      socket.destroy()
      resolve(parseAnswer(Buffer.concat(chunks), head, answers)?.answer ?? null)
    }
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk)
      if (parseAnswer(Buffer.concat(chunks), head, answers)?.whole) finish()
    })
    socket.on('end', finish)
    socket.on('close', finish)
    // A reset after a refusal; what came before it counts.
    socket.on('error', finish)
    socket.write(bytes)
    if (halfClose) socket.end()
  })
}

/** The final answer of this place in what was received; undefined when it is not there yet. */
function parseAnswer(bytes: Buffer, head: boolean, place: number): { answer: RawAnswer; whole: boolean } | undefined {
  const text = bytes.toString('latin1')
  const end = text.indexOf('\r\n\r\n')
  if (end < 0) return undefined
  const [first, ...lines] = text.slice(0, end).split('\r\n')
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(first!)?.[1])
  if (status < 200) return parseAnswer(bytes.subarray(end + 4), head, place)
  const headers = new Map(
    lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
  )
  const body = bytes.subarray(end + 4)
  const length = Number(headers.get('content-length') ?? NaN)
  const whole = head || body.length >= length
  if (place > 1) return whole ? parseAnswer(body.subarray(head ? 0 : length), head, place - 1) : undefined
  return {
    answer: { status, headers, body: body.subarray(0, whole && !head ? length : undefined).toString('utf8') },
    whole,
  }
}
