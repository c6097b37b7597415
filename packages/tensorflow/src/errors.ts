interface ErrorEntry {
  readonly title: string
  /** What to do. */
  readonly remedy: string
}

/** Every kind of failure of this package. */
export const tensorflowErrors = {
  TENSORFLOW_PYTHON_MISSING: {
    title: 'Python 3.11 not found',
    remedy:
      'Install Python 3.11 (Debian, Ubuntu: apt install python3.11 python3.11-venv) or name it in FLOWERS_PYTHON.',
  },
  TENSORFLOW_VENV_MISSING: {
    title: 'Python without venv',
    remedy: 'Install the venv module of Python 3.11 (Debian, Ubuntu: apt install python3.11-venv).',
  },
  TENSORFLOW_INSTALL_FAILED: {
    title: 'Python packages not installed',
    remedy:
      'Check the connection to the Python package registry and the free disk space (3 GB), then run the command again.',
  },
  TENSORFLOW_LIBRARY_MISSING: {
    title: 'TensorFlow library not found',
    remedy: 'Remove packages/tensorflow/.venv and run the command again: it installs the library.',
  },
  TENSORFLOW_LIBRARY_VERSION: {
    title: 'Wrong version of TensorFlow',
    remedy: 'Remove packages/tensorflow/.venv and run the command again: it installs the pinned version.',
  },
  TENSORFLOW_DEVICE_MISSING: {
    title: 'No GPU that TensorFlow can use',
    remedy: 'Check that nvidia-smi lists the GPU and that the environment was made with CUDA, or use the CPU.',
  },
  TENSORFLOW_NOT_STARTED: {
    title: 'TensorFlow not started',
    remedy: 'Await startTensorflow() before the first tensor.',
  },
  TENSORFLOW_VALUE_IN_TRACE: {
    title: 'Value read while tracing',
    remedy: 'Return the tensor from the compiled function and read its value from the result.',
  },
  TENSORFLOW_OUTSIDE_TRACE: {
    title: 'Tensor used outside its trace',
    remedy: 'Return the tensor from the compiled function; do not keep it in a variable outside.',
  },
  TENSORFLOW_UNKNOWN_SHAPE: {
    title: 'Shape depends on data',
    remedy: 'Use operations whose result shape follows from the input shapes, or declare the shape with rawOp.',
  },
  TENSORFLOW_OP_REFUSED: {
    title: 'TensorFlow refused an operation',
    remedy: 'Correct the inputs or attributes at the place named.',
  },
  TENSORFLOW_RUN_FAILED: {
    title: 'A compiled function failed',
    remedy: 'Read the message of TensorFlow; the first operation named is the one that failed.',
  },
  TENSORFLOW_OUT_OF_MEMORY: { title: 'Out of memory', remedy: 'Use a smaller batch or a smaller size.' },
  TENSORFLOW_DISPOSED: {
    title: 'Used after dispose',
    remedy: 'Dispose of variables and compiled functions after their last use.',
  },
  TENSORFLOW_DEFECT: { title: 'Internal error', remedy: 'This is a defect; report it with the log.' },
} as const satisfies Record<string, ErrorEntry>

export type TensorflowErrorCode = keyof typeof tensorflowErrors

/** `code` names the kind, `message` says what happened, `entry` what to do. */
export class TensorflowError extends Error {
  readonly code: TensorflowErrorCode

  constructor(code: TensorflowErrorCode, detail: string, options?: ErrorOptions) {
    super(detail, options)
    this.name = 'TensorflowError'
    this.code = code
  }

  get entry(): ErrorEntry {
    return tensorflowErrors[this.code]
  }
}
