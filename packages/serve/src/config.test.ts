import { resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { flagOf, helpText, readConfig, settings } from './config.ts'

describe('readConfig', () => {
  it('has a default for every setting, and null for those that decide themselves', () => {
    expect(readConfig([], {})).toMatchObject({
      port: 3000,
      host: '127.0.0.1',
      modelsDir: resolve('models'),
      model: null,
      views: null,
      workers: null,
      queueLimit: 64,
      logLevel: 'info',
    })
  })

  it('lets a flag win over a variable, and a variable over the default', () => {
    const environment = { PORT: '8080', FLOWERS_QUEUE_LIMIT: '7', FLOWERS_TTA: 'full' }
    expect(readConfig(['--port', '9090'], environment)).toMatchObject({ port: 9090, queueLimit: 7, views: 'full' })
    expect(readConfig(['--queue-limit=9'], environment)).toMatchObject({ port: 8080, queueLimit: 9 })
  })

  it('reads lists, and off as null', () => {
    expect(readConfig([], {})).toMatchObject({ corsOrigins: null, trustedProxies: null, rateLimit: null, token: null })
    expect(
      readConfig([], {
        FLOWERS_CORS_ORIGINS: 'https://a.example, http://b.example:81',
        FLOWERS_TRUSTED_PROXIES: '127.0.0.1,10.0.0.0/8,::1,fd00::/8,::ffff:10.0.0.1',
        FLOWERS_RATE_LIMIT: '60',
      }),
    ).toMatchObject({
      corsOrigins: ['https://a.example', 'http://b.example:81'],
      trustedProxies: ['127.0.0.1', '10.0.0.0/8', '::1', 'fd00::/8', '::ffff:10.0.0.1'],
      rateLimit: 60,
    })
    expect(readConfig([], { FLOWERS_CORS_ORIGINS: '*' })).toMatchObject({ corsOrigins: '*' })
  })

  it('takes --lan alone, with a value, or as a variable', () => {
    for (const argv of [['--lan'], ['--lan', '--port', '80'], ['--port', '80', '--lan'], ['--lan', 'on'], ['--lan=on']])
      expect(readConfig(argv, {})).toMatchObject({ lan: true })
    expect(readConfig([], { FLOWERS_LAN: 'on' })).toMatchObject({ lan: true })
    expect(readConfig([], {})).toMatchObject({ lan: false })
    expect(readConfig(['--lan', 'off'], { FLOWERS_LAN: 'on' })).toMatchObject({ lan: false })
    // A value that belongs to another flag is no flag.
    expect(readConfig(['--model=--lan'], {})).toMatchObject({ lan: false, model: '--lan' })
  })

  it('takes an empty variable as absent', () => {
    expect(readConfig([], { PORT: '', MODEL: '' })).toMatchObject({ port: 3000, model: null })
  })

  it.each([
    [[], { PORT: 'http' }, 'PORT must be an integer from 0 to 65535, not "http".'],
    [[], { PORT: '65536' }, 'PORT must be an integer from 0 to 65535, not "65536".'],
    [[], { PORT: '3e3' }, 'PORT must be an integer from 0 to 65535, not "3e3".'],
    [[], { PORT: '-1' }, 'PORT must be an integer from 0 to 65535, not "-1".'],
    [['--port', ' 80'], {}, '--port must be an integer from 0 to 65535, not " 80".'],
    [[], { FLOWERS_TTA: 'quick' }, 'FLOWERS_TTA must be model or one of full, exact, fast, none, not "quick".'],
    [[], { FLOWERS_WORKERS: '0' }, 'FLOWERS_WORKERS must be auto or an integer from 1 to 256, not "0".'],
    [
      ['--log-level', 'loud'],
      {},
      '--log-level must be one of fatal, error, warn, info, debug, trace, silent, not "loud".',
    ],
    [[], { FLOWERS_TOKEN: 'two words' }, 'FLOWERS_TOKEN must be printable characters without spaces.'],
    [[], { FLOWERS_RATE_LIMIT: '0' }, 'FLOWERS_RATE_LIMIT must be off or an integer from 1 to 1000000, not "0".'],
    [
      [],
      { FLOWERS_CORS_ORIGINS: 'https://a.example, b.example' },
      'FLOWERS_CORS_ORIGINS must be off, * or origins such as https://flowers.example, not "https://a.example, b.example".',
    ],
    [[], { FLOWERS_KEEP_ALIVE_MS: '0' }, 'FLOWERS_KEEP_ALIVE_MS must be an integer from 1 to 600000, not "0".'],
    [['--lan', 'yes'], {}, '--lan must be on or off, not "yes".'],
    [['--ports', '80'], {}, "Unknown option '--ports'."],
    [['80'], {}, "Unexpected argument '80'."],
  ])('answers %j %j with a sentence', (argv, environment, sentence) => {
    expect(() => readConfig(argv, environment)).toThrow(
      expect.objectContaining({ code: 'SERVICE_CONFIGURATION', message: sentence }),
    )
  })

  it.each([
    ['FLOWERS_TRUSTED_PROXIES', '999.1.1.1'],
    ['FLOWERS_TRUSTED_PROXIES', '10.0.0.0/99'],
    ['FLOWERS_TRUSTED_PROXIES', '10.0.0.0/0'],
    ['FLOWERS_TRUSTED_PROXIES', '::1/129'],
    ['FLOWERS_TRUSTED_PROXIES', '10.0.0.0/'],
    ['FLOWERS_TRUSTED_PROXIES', '::1,10.0.0.1.1'],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'http://['],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'http://host:99999'],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'host:4318'],
  ])('refuses %s=%s, which looks like an address and is none', (variable, value) => {
    expect(() => readConfig([], { [variable]: value })).toThrow(
      expect.objectContaining({
        code: 'SERVICE_CONFIGURATION',
        message: expect.stringMatching(new RegExp(`^${variable} must be .*, not `)),
      }),
    )
  })
})

describe('helpText', () => {
  it('names every flag and variable, and fits a terminal', () => {
    const help = helpText()
    for (const { variable } of Object.values(settings)) {
      expect(help).toContain(variable)
      expect(help).toContain(`--${flagOf(variable)}`)
    }
    for (const line of help.split('\n')) expect(line.length).toBeLessThanOrEqual(120)
    expect(readConfig(['--help'], {})).toBeNull()
    expect(readConfig(['-h'], { PORT: 'wrong' })).toBeNull()
  })
})
