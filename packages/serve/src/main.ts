import { FlowersError, SharedError } from '@flowers/shared/errors'
import { helpText, readConfig, type Config } from './config.ts'
import { ServiceError } from './errors.ts'
import { welcome } from './welcome.ts'

/** Time to send the answers to requests that were refused at the end of the grace time. */
const lastAnswersMs = 1000

try {
  const config = readConfig(process.argv.slice(2), process.env)
  if (config) await serve(config)
  else process.stdout.write(helpText())
} catch (error) {
  fail(error)
}

async function serve(config: Config): Promise<void> {
  // Set before ONNX Runtime is loaded, which would keep an identifier of this machine in a file and send telemetry.
  process.env['ORT_DISABLE_TELEMETRY'] = '1'
  const { buildApp } = await import('./app.ts')
  const { app, engine } = await buildApp(config)
  let stopping = false
  const stop = (signal: NodeJS.Signals): void => {
    // A second signal ends the process at once; `process.exit` would wait for the workers.
    if (stopping) process.kill(process.pid, 'SIGKILL')
    stopping = true
    app.log.info({ signal }, 'stopping: requests that were admitted are answered')
    engine.drain()
    setTimeout(() => void finish(), config.drainDelayMs)
  }
  const finish = async (): Promise<void> => {
    let code = 0
    setTimeout(() => {
      if (app.inFlight() > 0) code = 1
      app.log.error({ requests: app.inFlight() }, 'the grace time is over: requests that wait are refused')
      void engine.close().then(() => setTimeout(() => process.exit(code), lastAnswersMs))
    }, config.shutdownGraceMs).unref()
    await app.close()
    app.log.info('stopped')
    process.exit(code)
  }
  process.on('SIGTERM', stop)
  process.on('SIGINT', stop)
  process.on('SIGHUP', () => {
    app.log.info('reloading models: SIGHUP')
    void engine.reload()
  })
  try {
    const loading = engine.start()
    // Awaited below; until then a failure must not count as unhandled.
    loading.catch(() => {})
    const host = config.lan ? '0.0.0.0' : config.host
    const address = await app.listen({ host, port: config.port }).catch((error: Error) => {
      throw new ServiceError('SERVICE_ADDRESS', `${host}:${config.port}: ${error.message}.`, { cause: error })
    })
    await loading
    if (!stopping) {
      app.log.info({ startMs: Math.round(performance.now()) }, `ready: curl -F img=@rose.jpg ${address}/classify`)
      for (const line of welcome({ address, lan: config.lan, terminal: process.stderr.isTTY }))
        process.stderr.write(`${line}\n`)
    }
  } catch (error) {
    await app.close()
    throw error
  }
}

function fail(error: unknown): void {
  const known = error instanceof FlowersError ? error : new SharedError('INTERNAL', String(error), { cause: error })
  process.stderr.write(`${known.message} ${known.entry.remedy}\n`)
  if (known.code === 'INTERNAL') process.stderr.write(`${error instanceof Error ? error.stack : ''}\n`)
  process.exit(known.entry.exit ?? 1)
}
