// Makes the Python environment of the trainer's image: node /app/environment.mjs cpu|gpu
// By a name of its own: this file is beside the package only in the image.
const python = '@flowers/tensorflow/python'
const { ensurePythonEnvironment } = await import(python)
await ensurePythonEnvironment({
  gpu: process.argv[2] === 'gpu',
  log: (/** @type {string} */ line) => console.error(line),
})
