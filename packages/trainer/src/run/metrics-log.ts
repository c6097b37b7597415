import { appendFile, stat, truncate } from 'node:fs/promises'
import { unlessAbsent } from '@flowers/shared/files'

/** The run's `metrics.jsonl`: one JSON object a line, in the order things happened. */
export class MetricsLog {
  readonly #path: string
  #bytes: number

  private constructor(path: string, bytes: number) {
    this.#path = path
    this.#bytes = bytes
  }

  /** Opens the log at a length: what an interrupted run wrote after its last saved state is cut off and comes again. */
  static async open(path: string, bytes: number): Promise<MetricsLog> {
    const size = (await unlessAbsent(stat(path)))?.size ?? 0
    if (size > bytes) await truncate(path, bytes)
    return new MetricsLog(path, Math.min(size, bytes))
  }

  get bytes(): number {
    return this.#bytes
  }

  async write(record: Readonly<Record<string, unknown>>): Promise<void> {
    const line = `${JSON.stringify(record)}\n`
    await appendFile(this.#path, line)
    this.#bytes += Buffer.byteLength(line)
  }
}
