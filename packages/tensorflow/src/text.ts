import type { Tensor } from '@tensorflow/tfjs-core'
import type { Pointer } from './capi.ts'
import { dataTypes } from './dtype.ts'
import { runtime } from './runtime.ts'

/** Bytes of a `TF_TString` (tensorflow/core/platform/ctstring.h). */
const stringBytes = 24

/** A scalar of TensorFlow's type string, which tfjs has no way to make. Text is UTF-8. */
export function text(value: string | Uint8Array): Tensor {
  const { core, backend, binding } = runtime()
  const { api } = core
  const content = typeof value === 'string' ? Buffer.from(value) : value
  const tensor = api.TF_AllocateTensor(dataTypes.string, new BigInt64Array(0), 0, stringBytes)
  try {
    const place = api.TF_TensorData(tensor) as Pointer
    api.TF_StringInit(place)
    api.TF_StringCopy(place, content, content.length)
    const handle = core.call('TENSORFLOW_OP_REFUSED', 'new tensor', (status) => api.TFE_NewTensorHandle(tensor, status))
    return backend.createOutputTensor(binding.describe(core.adopt(handle)))
  } finally {
    api.TF_DeleteTensor(tensor)
  }
}
