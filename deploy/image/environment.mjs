// Makes the Python environment of the trainer's image: node /app/environment.mjs cpu|gpu
const { ensurePythonEnvironment } = await import(new URL('dist/tensorflow/python.js', import.meta.url).href)
await ensurePythonEnvironment({
  gpu: process.argv[2] === 'gpu',
  log: (/** @type {string} */ line) => console.error(line),
})
