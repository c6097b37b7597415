import type { Preprocessing } from '@flowers/shared/image/preprocessing'
import type { View } from '@flowers/shared/image/view'

/** What a worker is started with. */
export interface WorkerSettings {
  /** Path of the ONNX file: `pixel_values` N x 3 x S x S to `logits` N x classes. */
  readonly network: string
  /** Size and sha256 that its content must have: the file may have changed since the model was opened. */
  readonly bytes: number
  readonly sha256: string
  readonly classes: number
  readonly preprocessing: Preprocessing
  /** Threads of the session. */
  readonly threads: number
  /** Whether the network must have the output `known`: the manifest refuses pictures by it. */
  readonly needsKnown: boolean
  readonly warmUp: WarmUp
  /** Keeps the priority of the process, where the machine has other work and a test waits. */
  readonly keepPriority?: boolean
}

/** What a worker runs and times before it is warm. */
export interface WarmUp {
  /** Numbers of views of a run, ascending, the first is 1. */
  readonly batches: readonly number[]
  /** Runs of each that are timed, odd, after a cold one; their median counts. */
  readonly times: number
  /** Where a view takes longer than these seconds at best, no larger batch is run. */
  readonly slowViewSeconds: number
}

/** One view of a picture, or a tensor as the network takes it. */
export type ViewInput = PictureView | TensorView

interface PictureView {
  /** S x S x 3 bytes, R G B, shared by the views of one scale. */
  readonly pixels: SharedArrayBuffer
  readonly flip: View['flip']
  /** Also give the class maps. */
  readonly maps?: boolean
  /** Also give the output `known`, of a network that needs it. */
  readonly known?: boolean
}

interface TensorView {
  /** 3 x S x S normalised values in shared memory. */
  readonly values: Float32Array
  readonly known?: boolean
}

/** To the worker: run these views as one batch. */
export interface RunMessage {
  readonly run: number
  readonly views: readonly ViewInput[]
}

/** The class maps of one view: `classes` maps of height x width, row by row. */
export interface ClassMaps {
  readonly values: Float32Array
  readonly height: number
  readonly width: number
}

/** To the worker: end after the run that is under way. */
export interface CloseMessage {
  readonly close: true
}

/** Measured when a worker warms up: seconds of a run by its number of views. */
export type BatchSeconds = Readonly<Record<number, number>>

/** From the worker. */
export type WorkerMessage =
  | { readonly kind: 'warm'; readonly seconds: BatchSeconds; readonly explains: boolean }
  | { readonly kind: 'unusable'; readonly code: 'MODEL_TAMPERED' | 'MODEL_OUTPUT'; readonly reason: string }
  | {
      readonly kind: 'logits'
      readonly run: number
      readonly logits: Float32Array
      /** Of each view; null when no view asked for them. */
      readonly maps: ClassMaps[] | null
      /** Of each view; null when no view asked for it. */
      readonly known: Float32Array | null
      readonly seconds: number
      /** Of those, seconds until the pixels were normalised. */
      readonly prepareSeconds: number
    }
  | { readonly kind: 'failed'; readonly run: number; readonly reason: string }
