import koffi from 'koffi'
import type { LibraryHandle, TypeObject } from 'koffi'

/** Address in TensorFlow's memory. */
export type Pointer = bigint & { readonly __pointer?: never }

/** `TF_Output`: an output of a node of a graph, passed by value. */
export interface NodeOutput {
  readonly oper: Pointer
  readonly index: number
}

export interface NodeTensor {
  readonly output: NodeOutput
  readonly shape: number[]
  readonly dtype: number
}

/** The functions of TensorFlow's C API (tensorflow/c/c_api.h, tensorflow/c/eager/c_api.h) that are called. */
export interface Api {
  TF_Version(): string
  TF_NewStatus(): Pointer
  TF_DeleteStatus(status: Pointer): void
  TF_GetCode(status: Pointer): number
  TF_Message(status: Pointer): string

  TF_AllocateTensor(dtype: number, dims: BigInt64Array, rank: number, bytes: number): Pointer
  TF_TensorData(tensor: Pointer): Pointer | null
  TF_TensorByteSize(tensor: Pointer): number
  TF_DeleteTensor(tensor: Pointer): void
  TF_StringInit(string: Pointer): void
  TF_StringCopy(string: Pointer, bytes: Uint8Array, length: number): void

  TFE_NewContextOptions(): Pointer
  TFE_ContextOptionsSetConfig(options: Pointer, proto: Uint8Array, length: number, status: Pointer): void
  TFE_DeleteContextOptions(options: Pointer): void
  TFE_NewContext(options: Pointer, status: Pointer): Pointer
  TFE_ContextListDevices(context: Pointer, status: Pointer): Pointer
  TF_DeviceListCount(list: Pointer): number
  TF_DeviceListType(list: Pointer, index: number, status: Pointer): string
  TF_DeleteDeviceList(list: Pointer): void

  TFE_NewTensorHandle(tensor: Pointer, status: Pointer): Pointer
  TFE_DeleteTensorHandle(handle: Pointer): void
  TFE_TensorHandleCopySharingTensor(handle: Pointer, status: Pointer): Pointer
  TFE_TensorHandleNumDims(handle: Pointer, status: Pointer): number
  TFE_TensorHandleDim(handle: Pointer, index: number, status: Pointer): number
  TFE_TensorHandleDataType(handle: Pointer): number
  TFE_TensorHandleResolve(handle: Pointer, status: Pointer): Pointer

  TFE_NewOp(context: Pointer, name: string, status: Pointer): Pointer
  TFE_DeleteOp(op: Pointer): void
  TFE_OpAddInput(op: Pointer, handle: Pointer, status: Pointer): void
  TFE_OpSetAttrType(op: Pointer, name: string, value: number): void
  TFE_OpSetAttrTypeList(op: Pointer, name: string, values: Int32Array, length: number): void
  TFE_OpSetAttrInt(op: Pointer, name: string, value: bigint): void
  TFE_OpSetAttrIntList(op: Pointer, name: string, values: BigInt64Array, length: number): void
  TFE_OpSetAttrFloat(op: Pointer, name: string, value: number): void
  TFE_OpSetAttrFloatList(op: Pointer, name: string, values: Float32Array, length: number): void
  TFE_OpSetAttrBool(op: Pointer, name: string, value: number): void
  TFE_OpSetAttrString(op: Pointer, name: string, value: Uint8Array, length: number): void
  TFE_OpSetAttrShape(op: Pointer, name: string, dims: BigInt64Array, rank: number, status: Pointer): void
  TFE_Execute: Execute
  TFE_ContextAddFunction(context: Pointer, fn: Pointer, status: Pointer): void
  TFE_ContextRemoveFunction(context: Pointer, name: string, status: Pointer): void

  TF_NewGraph(): Pointer
  TF_DeleteGraph(graph: Pointer): void
  TF_NewOperation(graph: Pointer, type: string, name: string): Pointer
  TF_AddInput(description: Pointer, input: NodeOutput): void
  TF_AddInputList(description: Pointer, inputs: readonly NodeOutput[], length: number): void
  TF_AddControlInput(description: Pointer, operation: Pointer): void
  TF_SetAttrType(description: Pointer, name: string, value: number): void
  TF_SetAttrTypeList(description: Pointer, name: string, values: Int32Array, length: number): void
  TF_SetAttrInt(description: Pointer, name: string, value: bigint): void
  TF_SetAttrIntList(description: Pointer, name: string, values: BigInt64Array, length: number): void
  TF_SetAttrFloat(description: Pointer, name: string, value: number): void
  TF_SetAttrFloatList(description: Pointer, name: string, values: Float32Array, length: number): void
  TF_SetAttrBool(description: Pointer, name: string, value: number): void
  TF_SetAttrString(description: Pointer, name: string, value: Uint8Array, length: number): void
  TF_SetAttrShape(description: Pointer, name: string, dims: BigInt64Array, rank: number): void
  TF_SetAttrTensor(description: Pointer, name: string, tensor: Pointer, status: Pointer): void
  TF_FinishOperation(description: Pointer, status: Pointer): Pointer
  TF_OperationOutputType(output: NodeOutput): number
  TF_GraphGetTensorNumDims(graph: Pointer, output: NodeOutput, status: Pointer): number
  TF_GraphGetTensorShape(graph: Pointer, output: NodeOutput, dims: BigInt64Array, rank: number, status: Pointer): void
  TF_GraphSetTensorShape(graph: Pointer, output: NodeOutput, dims: BigInt64Array, rank: number, status: Pointer): void
  TF_GraphGetOpDef(graph: Pointer, name: string, buffer: Pointer, status: Pointer): void
  TF_GraphToGraphDef(graph: Pointer, buffer: Pointer, status: Pointer): void
  TF_GraphToFunctionWithControlOutputs(
    graph: Pointer,
    name: string,
    appendHash: number,
    operationCount: number,
    operations: null,
    inputCount: number,
    inputs: readonly NodeOutput[],
    outputCount: number,
    outputs: readonly NodeOutput[],
    outputNames: null,
    controlCount: number,
    controls: readonly Pointer[],
    controlNames: null,
    options: null,
    description: null,
    status: Pointer,
  ): Pointer
  TF_FunctionSetAttrValueProto(fn: Pointer, name: string, proto: Uint8Array, length: number, status: Pointer): void
  TF_DeleteFunction(fn: Pointer): void
  TF_NewBuffer(): Pointer
  TF_DeleteBuffer(buffer: Pointer): void
}

type ExecuteArguments = [op: Pointer, results: (Pointer | null)[], count: [number], status: Pointer]

/** `TFE_Execute`: fills `results`. `.async` runs on libuv's thread pool and calls back on the JavaScript thread. */
interface Execute {
  (...args: ExecuteArguments): void
  async(...args: [...ExecuteArguments, (error: Error | null) => void]): void
}

const declarations: Record<keyof Api, string> = {
  TF_Version: 'const char* ()',
  TF_NewStatus: 'void* ()',
  TF_DeleteStatus: 'void (void*)',
  TF_GetCode: 'int (void*)',
  TF_Message: 'const char* (void*)',
  TF_AllocateTensor: 'void* (int, const int64_t*, int, size_t)',
  TF_TensorData: 'void* (void*)',
  TF_TensorByteSize: 'size_t (void*)',
  TF_DeleteTensor: 'void (void*)',
  TF_StringInit: 'void (void*)',
  TF_StringCopy: 'void (void*, const uint8_t*, size_t)',
  TFE_NewContextOptions: 'void* ()',
  TFE_ContextOptionsSetConfig: 'void (void*, const uint8_t*, size_t, void*)',
  TFE_DeleteContextOptions: 'void (void*)',
  TFE_NewContext: 'void* (void*, void*)',
  TFE_ContextListDevices: 'void* (void*, void*)',
  TF_DeviceListCount: 'int (void*)',
  TF_DeviceListType: 'const char* (void*, int, void*)',
  TF_DeleteDeviceList: 'void (void*)',
  TFE_NewTensorHandle: 'void* (void*, void*)',
  TFE_DeleteTensorHandle: 'void (void*)',
  TFE_TensorHandleCopySharingTensor: 'void* (void*, void*)',
  TFE_TensorHandleNumDims: 'int (void*, void*)',
  TFE_TensorHandleDim: 'int64_t (void*, int, void*)',
  TFE_TensorHandleDataType: 'int (void*)',
  TFE_TensorHandleResolve: 'void* (void*, void*)',
  TFE_NewOp: 'void* (void*, const char*, void*)',
  TFE_DeleteOp: 'void (void*)',
  TFE_OpAddInput: 'void (void*, void*, void*)',
  TFE_OpSetAttrType: 'void (void*, const char*, int)',
  TFE_OpSetAttrTypeList: 'void (void*, const char*, const int*, int)',
  TFE_OpSetAttrInt: 'void (void*, const char*, int64_t)',
  TFE_OpSetAttrIntList: 'void (void*, const char*, const int64_t*, int)',
  TFE_OpSetAttrFloat: 'void (void*, const char*, float)',
  TFE_OpSetAttrFloatList: 'void (void*, const char*, const float*, int)',
  TFE_OpSetAttrBool: 'void (void*, const char*, uint8_t)',
  TFE_OpSetAttrString: 'void (void*, const char*, const uint8_t*, size_t)',
  TFE_OpSetAttrShape: 'void (void*, const char*, const int64_t*, int, void*)',
  TFE_Execute: 'void (void*, _Out_ void**, _Inout_ int*, void*)',
  TFE_ContextAddFunction: 'void (void*, void*, void*)',
  TFE_ContextRemoveFunction: 'void (void*, const char*, void*)',
  TF_NewGraph: 'void* ()',
  TF_DeleteGraph: 'void (void*)',
  TF_NewOperation: 'void* (void*, const char*, const char*)',
  TF_AddInput: 'void (void*, TF_Output)',
  TF_AddInputList: 'void (void*, const TF_Output*, int)',
  TF_AddControlInput: 'void (void*, void*)',
  TF_SetAttrType: 'void (void*, const char*, int)',
  TF_SetAttrTypeList: 'void (void*, const char*, const int*, int)',
  TF_SetAttrInt: 'void (void*, const char*, int64_t)',
  TF_SetAttrIntList: 'void (void*, const char*, const int64_t*, int)',
  TF_SetAttrFloat: 'void (void*, const char*, float)',
  TF_SetAttrFloatList: 'void (void*, const char*, const float*, int)',
  TF_SetAttrBool: 'void (void*, const char*, uint8_t)',
  TF_SetAttrString: 'void (void*, const char*, const uint8_t*, size_t)',
  TF_SetAttrShape: 'void (void*, const char*, const int64_t*, int)',
  TF_SetAttrTensor: 'void (void*, const char*, void*, void*)',
  TF_FinishOperation: 'void* (void*, void*)',
  TF_OperationOutputType: 'int (TF_Output)',
  TF_GraphGetTensorNumDims: 'int (void*, TF_Output, void*)',
  TF_GraphGetTensorShape: 'void (void*, TF_Output, _Out_ int64_t*, int, void*)',
  TF_GraphSetTensorShape: 'void (void*, TF_Output, const int64_t*, int, void*)',
  TF_GraphGetOpDef: 'void (void*, const char*, void*, void*)',
  TF_GraphToGraphDef: 'void (void*, void*, void*)',
  TF_GraphToFunctionWithControlOutputs:
    'void* (void*, const char*, uint8_t, int, void*, int, const TF_Output*, int, const TF_Output*, void*, int, void**, void*, void*, const char*, void*)',
  TF_FunctionSetAttrValueProto: 'void (void*, const char*, const uint8_t*, size_t, void*)',
  TF_DeleteFunction: 'void (void*)',
  TF_NewBuffer: 'void* ()',
  TF_DeleteBuffer: 'void (void*)',
}

/** `TF_Buffer`: bytes that TensorFlow owns. */
const bufferLayout = { data: 'const void*', length: 'size_t', data_deallocator: 'void*' } as const

let layouts: { output: TypeObject; buffer: TypeObject } | undefined

export function bindApi(library: LibraryHandle): Api {
  layouts ??= {
    output: koffi.struct('TF_Output', { oper: 'void*', index: 'int' }),
    buffer: koffi.struct('TF_Buffer', bufferLayout),
  }
  const entries = Object.entries(declarations).map(([name, declaration]) => [
    name,
    library.func(declaration.replace('(', `${name}(`)),
  ])
  return Object.fromEntries(entries) as Api
}

/** The bytes of a tensor, as a window on TensorFlow's memory: valid as long as the tensor is. */
export function tensorBytes(api: Api, tensor: Pointer): Uint8Array {
  const length = api.TF_TensorByteSize(tensor)
  const data = api.TF_TensorData(tensor)
  return length === 0 || data === null ? new Uint8Array(0) : new Uint8Array(koffi.view(data, length))
}

/** A copy of what `fill` puts into a `TF_Buffer`. */
export function bufferBytes(api: Api, fill: (buffer: Pointer) => void): Uint8Array {
  const buffer = api.TF_NewBuffer()
  try {
    fill(buffer)
    const { data, length } = koffi.decode(buffer, 'TF_Buffer') as { data: Pointer; length: number }
    return new Uint8Array(koffi.view(data, length)).slice()
  } finally {
    api.TF_DeleteBuffer(buffer)
  }
}
