import { execFile } from 'node:child_process'
import { createServer } from 'node:net'
import { promisify } from 'node:util'

/** For tests: makes a pipe, which whoever opens it waits for. */
export const makePipe = async (path: string): Promise<void> => {
  await promisify(execFile)('mkfifo', [path])
}

/** For tests: makes a socket; call what comes back when done. */
export const makeSocket = (path: string): Promise<() => Promise<void>> =>
  new Promise((made, failed) => {
    const server = createServer().on('error', failed)
    server.listen(path, () => made(() => new Promise((closed) => server.close(() => closed()))))
  })
