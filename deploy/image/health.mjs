// The image's health check, in place of curl: ends with 0 when the service takes work.
const { PORT = '3000' } = process.env
const response = await fetch(`http://127.0.0.1:${PORT}/readyz`, { signal: AbortSignal.timeout(2000) }).catch(() => null)
process.exitCode = response?.ok ? 0 : 1
