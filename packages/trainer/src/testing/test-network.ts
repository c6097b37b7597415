import { fileURLToPath } from 'node:url'
import { FlowersError } from '@flowers/shared/errors'
import { openReference } from '../export/reference.ts'
import { startTensorflow } from '@flowers/tensorflow'
import { findArchitecture } from '../model/registry.ts'
import { fetchWeights } from '../model/weights/fetch.ts'
import { mapWeights } from '../model/weights/load.ts'
import { pretrainedWeights } from '../model/weights/pretrained.ts'
import { readSafetensors } from '../model/weights/safetensors.ts'

const fixture = fileURLToPath(
  new URL('../../../../tests/fixtures/efficientnet-lite/logits.safetensors', import.meta.url),
)

/** For tests: the safetensors file of an entry, or why there is none: it is neither cached nor can it be fetched. */
export async function weightsForTest(name: string): Promise<{ path: string; missing: string }> {
  try {
    return { path: await fetchWeights(pretrainedWeights[name]!, () => {}), missing: '' }
  } catch (error) {
    if (!(error instanceof FlowersError) || error.code !== 'WEIGHTS_DOWNLOAD') throw error
    return { path: '', missing: `the weights ${name} are not cached and cannot be fetched` }
  }
}

/** For tests: an untouched network with its 1,000 classes. `logits` of a normalised image [1, 3, size, size]. */
export async function openPretrained(path: string, name: string, size: number) {
  await startTensorflow({ device: 'cpu' })
  const model = findArchitecture(name).build({
    classes: 1000,
    head: { kind: 'linear' },
    stochasticDepth: 0,
    layerScale: 0,
  })
  return openReference(model, mapWeights(model, await readSafetensors(path), { head: 'load' }), size)
}

/** The pictures of tests/fixtures/efficientnet_lite_parity.py, as [1, 3, size, size], (value - 127) / 128. */
function picture(number: number, size: number): Float32Array {
  return Float32Array.from({ length: 3 * size * size }, (_, index) => {
    const [x, y, channel] = [index % size, Math.floor(index / size) % size, Math.floor(index / size ** 2)]
    const value = (x * (1 + number) + y * (2 + channel) + ((x * y) >> 5) * (number + channel)) & 255
    return (value - 127) / 128
  })
}

/** For tests: the largest difference of a logit from the reference implementation's, over three pictures. */
export async function differenceFromReference(path: string, name: string, size: number): Promise<number> {
  const expected = (await readSafetensors(fixture)).get(name)!.data as Float32Array
  const network = await openPretrained(path, name, size)
  let largest = 0
  for (let number = 0; number < 3; number++) {
    const logits = await network.logits(picture(number, size))
    for (const [index, logit] of logits.entries())
      largest = Math.max(largest, Math.abs(logit - expected[number * 1000 + index]!))
  }
  network.dispose()
  return largest
}
