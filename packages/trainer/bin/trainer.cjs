#!/usr/bin/env node
// CommonJS, because Node reads an ES module through libuv's thread pool and so fixes the pool's size before its first
// line. A training step occupies one thread of the pool, decoding photos and writing files the others.
process.env.UV_THREADPOOL_SIZE ??= '8'
// ONNX Runtime would keep an identifier of this machine to send with its measurements.
process.env.ORT_DISABLE_TELEMETRY = '1'

async function main() {
  const { build, installPackages, root } = await import('../../../scripts/setup.mjs')
  const { dropCopiedSignals } = await import('../../../scripts/signals.mjs')
  installPackages()
  build('packages/trainer', 'packages/trainer/dist/cli/main.js')
  dropCopiedSignals()
  // In this process: a signal reaches the program once, and the exit code is the program's.
  await import(`${root}/packages/trainer/dist/cli/main.js`)
}

main().catch((error) => {
  console.error(error.exitCode === undefined ? error : error.message)
  process.exitCode = error.exitCode ?? 1
})
