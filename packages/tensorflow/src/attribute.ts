import type { Api, Pointer } from './capi.ts'
import { dataTypes, type DataTypeName } from './dtype.ts'

/** An attribute of a TensorFlow operation, by its type in the operation's definition. */
export type Attribute =
  | { readonly name: string; readonly type: 'type'; readonly value: DataTypeName }
  | { readonly name: string; readonly type: 'types'; readonly value: readonly DataTypeName[] }
  | { readonly name: string; readonly type: 'int'; readonly value: number }
  | { readonly name: string; readonly type: 'ints'; readonly value: readonly number[] }
  | { readonly name: string; readonly type: 'float'; readonly value: number }
  | { readonly name: string; readonly type: 'floats'; readonly value: readonly number[] }
  | { readonly name: string; readonly type: 'bool'; readonly value: boolean }
  | { readonly name: string; readonly type: 'string'; readonly value: string }
  | { readonly name: string; readonly type: 'shape'; readonly value: readonly number[] }

/** The same with TensorFlow's numbers of types in place of names, as both kinds of operation take it. */
export type EncodedAttribute =
  | { readonly name: string; readonly type: 'type'; readonly value: number }
  | { readonly name: string; readonly type: 'types'; readonly value: readonly number[] }
  | Exclude<Attribute, { readonly type: 'type' | 'types' }>

export function encodeAttribute(attribute: Attribute): EncodedAttribute {
  if (attribute.type === 'type') return { ...attribute, value: dataTypes[attribute.value] }
  if (attribute.type === 'types') return { ...attribute, value: attribute.value.map((name) => dataTypes[name]) }
  return attribute
}

type Setters = { readonly [A in EncodedAttribute as A['type']]: (name: string, value: A['value']) => void }

const bigints = (values: readonly number[]): BigInt64Array => BigInt64Array.from(values, BigInt)

function set(setters: Setters, attribute: EncodedAttribute): void {
  // The union of setters takes no argument type-wise; the table pairs each with the value of its own attribute.
  const setter = setters[attribute.type] as (name: string, value: EncodedAttribute['value']) => void
  setter(attribute.name, attribute.value)
}

export function setEagerAttribute(api: Api, op: Pointer, status: Pointer, attribute: EncodedAttribute): void {
  set(
    {
      type: (name, value) => api.TFE_OpSetAttrType(op, name, value),
      types: (name, value) => api.TFE_OpSetAttrTypeList(op, name, Int32Array.from(value), value.length),
      int: (name, value) => api.TFE_OpSetAttrInt(op, name, BigInt(value)),
      ints: (name, value) => api.TFE_OpSetAttrIntList(op, name, bigints(value), value.length),
      float: (name, value) => api.TFE_OpSetAttrFloat(op, name, value),
      floats: (name, value) => api.TFE_OpSetAttrFloatList(op, name, Float32Array.from(value), value.length),
      bool: (name, value) => api.TFE_OpSetAttrBool(op, name, value ? 1 : 0),
      string: (name, value) => api.TFE_OpSetAttrString(op, name, Buffer.from(value), Buffer.byteLength(value)),
      shape: (name, value) => api.TFE_OpSetAttrShape(op, name, bigints(value), value.length, status),
    },
    attribute,
  )
}

export function setNodeAttribute(api: Api, node: Pointer, attribute: EncodedAttribute): void {
  set(
    {
      type: (name, value) => api.TF_SetAttrType(node, name, value),
      types: (name, value) => api.TF_SetAttrTypeList(node, name, Int32Array.from(value), value.length),
      int: (name, value) => api.TF_SetAttrInt(node, name, BigInt(value)),
      ints: (name, value) => api.TF_SetAttrIntList(node, name, bigints(value), value.length),
      float: (name, value) => api.TF_SetAttrFloat(node, name, value),
      floats: (name, value) => api.TF_SetAttrFloatList(node, name, Float32Array.from(value), value.length),
      bool: (name, value) => api.TF_SetAttrBool(node, name, value ? 1 : 0),
      string: (name, value) => api.TF_SetAttrString(node, name, Buffer.from(value), Buffer.byteLength(value)),
      shape: (name, value) => api.TF_SetAttrShape(node, name, bigints(value), value.length),
    },
    attribute,
  )
}

/** Lengths of list arguments that the attributes state: `N` by value, `T` by the number of types. */
export function listLengths(attributes: readonly EncodedAttribute[]): Map<string, number> {
  const lengths = new Map<string, number>()
  for (const attribute of attributes) {
    if (attribute.type === 'int') lengths.set(attribute.name, attribute.value)
    if (attribute.type === 'types') lengths.set(attribute.name, attribute.value.length)
  }
  return lengths
}
