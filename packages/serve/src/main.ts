import { FlowersError } from '@flowers/shared/errors'
import { helpText, readConfig } from './config.ts'
import type { Config } from './config.ts'

/** Exit code of a process that a second signal stopped before its requests were answered. */
const stoppedBySignal = 130

try {
  const config = readConfig(process.argv.slice(2), process.env)
  if (config) await serve(config)
  else process.stdout.write(helpText())
} catch (error) {
  fail(error)
}

async function serve(config: Config): Promise<void> {
  const { buildApp } = await import('./app.ts')
  const { app, engine } = await buildApp(config)
  let stopping = false
  const stop = (signal: string): void => {
    if (stopping) process.exit(stoppedBySignal)
    stopping = true
    app.log.info({ signal }, 'stopping: requests that were admitted are answered')
    engine.drain()
    setTimeout(() => void finish(), config.drainDelayMs)
  }
  const finish = async (): Promise<void> => {
    setTimeout(() => {
      app.log.error('requests were not answered within the grace time')
      process.exit(1)
    }, config.shutdownGraceMs).unref()
    await app.close()
    app.log.info('stopped')
    process.exit(0)
  }
  process.on('SIGTERM', stop)
  process.on('SIGINT', stop)
  const loading = engine.start()
  // Handled below; until then a failure must not count as unhandled.
  loading.catch(() => {})
  const address = await app.listen({ host: config.host, port: config.port }).catch((error: Error) => {
    throw new FlowersError('SERVICE_ADDRESS', `${config.host}:${config.port}: ${error.message}`, { cause: error })
  })
  await loading
  app.log.info({ startMs: Math.round(performance.now()) }, `ready: curl -F img=@rose.jpg ${address}/classify`)
}

function fail(error: unknown): void {
  const known = error instanceof FlowersError ? error : new FlowersError('INTERNAL', String(error), { cause: error })
  process.stderr.write(`${known.message} ${known.entry.remedy}\n`)
  if (known.code === 'INTERNAL') process.stderr.write(`${error instanceof Error ? error.stack : ''}\n`)
  process.exit(known.entry.exit)
}
