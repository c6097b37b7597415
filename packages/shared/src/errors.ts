/**
 * The one catalogue of errors. Every failure a person can meet has a code, says what happened (`detail`)
 * and what to do (`remedy`). The service turns an entry into an RFC 9457 problem, the trainer into a
 * sentence and an exit code.
 */
interface CatalogueEntry {
  /** HTTP status the service answers with. */
  readonly status: number
  /** Exit code of a command: 1 failed, 2 wrong usage. */
  readonly exit: 1 | 2
  readonly title: string
  readonly remedy: string
}

export const catalogue = {
  USAGE: { status: 400, exit: 2, title: 'Wrong usage', remedy: 'Run the command with --help.' },
  SYSTEM_DISK_FULL: {
    status: 500,
    exit: 1,
    title: 'Disk full',
    remedy: 'Free some space, then run the command again, or go on with --resume; what was saved before is intact.',
  },
  SYSTEM_NO_PERMISSION: {
    status: 500,
    exit: 1,
    title: 'No permission',
    remedy: 'Choose a folder you may write to, or change its permissions; a run goes on with --resume.',
  },
  SYSTEM_TOO_MANY_FILES: {
    status: 500,
    exit: 1,
    title: 'Too many open files',
    remedy: 'Raise the limit with `ulimit -n`, then run the command again.',
  },
  IMAGE_EMPTY: { status: 400, exit: 1, title: 'No image', remedy: 'Send the bytes of one image file.' },
  IMAGE_UNSUPPORTED: {
    status: 415,
    exit: 1,
    title: 'Not an image that is read',
    remedy: 'Use JPEG, PNG, WebP, AVIF, TIFF or GIF.',
  },
  IMAGE_TOO_LARGE: {
    status: 413,
    exit: 1,
    title: 'Image too large',
    remedy: 'Reduce the width and height of the image.',
  },
  IMAGE_BROKEN: {
    status: 422,
    exit: 1,
    title: 'Broken image',
    remedy: 'Check that the file opens in a viewer and was transferred whole.',
  },
  IMAGE_SLOW: {
    status: 422,
    exit: 1,
    title: 'Image takes too long to decode',
    remedy: 'Reduce the width and height of the image, or store it in a plain way (no interlacing, 8 bits a channel).',
  },
  MODEL_MISSING: {
    status: 404,
    exit: 1,
    title: 'No such model',
    remedy: 'Name a model whose folder exists: <models>/<name>/<version>/manifest.json.',
  },
  MODEL_FOLDER: {
    status: 404,
    exit: 2,
    title: 'Not a model folder',
    remedy: 'Name a folder that `export` made, models/<name>/<version>, or models/<name> for its highest version.',
  },
  MODEL_MANIFEST: { status: 500, exit: 1, title: 'Unreadable model manifest', remedy: 'Export the model again.' },
  MODEL_FORMAT: {
    status: 500,
    exit: 1,
    title: 'Unknown model format',
    remedy: 'Use a release of this program that reads the format, or export the model again.',
  },
  MODEL_TAMPERED: {
    status: 500,
    exit: 1,
    title: 'Model files differ from the manifest',
    remedy: 'Copy the model folder again from its source, or export it again.',
  },
  MODEL_EXISTS: {
    status: 409,
    exit: 2,
    title: 'Model version exists',
    remedy: 'Choose a new version number or remove the folder.',
  },
  MODEL_UNLOADED: {
    status: 404,
    exit: 1,
    title: 'Model not loaded',
    remedy:
      'A model is loaded when it is first asked; one that was unloaded, with POST /v2/repository/models/<name>/load.',
  },
  MODEL_IN_USE: {
    status: 409,
    exit: 1,
    title: 'Model in use',
    remedy: 'The default model stays loaded; start the service with another MODEL to serve without it.',
  },
  MODEL_WITHOUT_MAPS: {
    status: 404,
    exit: 1,
    title: 'Model cannot show where it looked',
    remedy:
      'Export the model again; its network needs to end in pooling and a linear head, with a hidden layer or without.',
  },
  MODEL_MEMORY: {
    status: 500,
    exit: 1,
    title: 'Too little memory for the model',
    remedy: 'Give the service more memory, fewer workers with FLOWERS_WORKERS, or unload other models.',
  },
  MODEL_OUTPUT: {
    status: 500,
    exit: 1,
    title: 'Model output unusable',
    remedy: 'Export the model again; its parity gate finds the cause.',
  },
  DATA_NOT_FOUND: {
    status: 400,
    exit: 2,
    title: 'No such data',
    remedy:
      'Name a folder with a folder per class, a folder with train/ and valid/ of those, or a CSV with the header path,label[,split].',
  },
  DATA_FORM: {
    status: 400,
    exit: 2,
    title: 'Not a form of data',
    remedy:
      'Name a folder with a folder per class, a folder with train/ and valid/ of those, or a CSV with the header path,label[,split].',
  },
  DATA_EMPTY: {
    status: 400,
    exit: 1,
    title: 'No photos',
    remedy: 'Put the photos of each class in a folder of its own, and remove folders without photos.',
  },
  DATA_ONE_CLASS: {
    status: 400,
    exit: 1,
    title: 'One class only',
    remedy: 'A classifier needs at least two classes: add the photos of another.',
  },
  DATA_CSV: {
    status: 400,
    exit: 1,
    title: 'Corrupt CSV',
    remedy: 'Correct the line; the header is path,label or path,label,split, and paths are relative to the CSV.',
  },
  DATA_SPLIT_UNKNOWN: {
    status: 400,
    exit: 1,
    title: 'Unknown split',
    remedy: 'Name the splits train and valid; test is kept aside.',
  },
  DATA_PHOTO_MISSING: {
    status: 400,
    exit: 1,
    title: 'Photo missing',
    remedy: 'Paths in the CSV are relative to the CSV; correct them or remove the lines.',
  },
  DATA_CLASS_NOT_IN_TRAIN: {
    status: 400,
    exit: 1,
    title: 'Class without training photos',
    remedy: 'Add training photos of the class, or remove it from the other split.',
  },
  DATA_CLASS_TOO_SMALL: {
    status: 400,
    exit: 1,
    title: 'Class too small to split',
    remedy: 'Add a second photo of the class, or give the split yourself.',
  },
  DATA_LABEL_CLASH: {
    status: 400,
    exit: 1,
    title: 'Two classes with one label',
    remedy: 'The number at the beginning of a name is order, not name: merge the two or give them different names.',
  },
  DATA_AUDIT: {
    status: 400,
    exit: 1,
    title: 'Data would corrupt the result',
    remedy: 'Correct the photos that are listed, or leave them out with --set data.exclude=audit.',
  },
  DATA_IMAGE_LOST: {
    status: 500,
    exit: 1,
    title: 'Photo lost during a run',
    remedy:
      'Restore the photo and run the command again; a run has saved and goes on with --resume. Is it lost for good: start a new run from checkpoints/best.safetensors with --weights.',
  },
  TENSORFLOW_PYTHON_MISSING: {
    status: 500,
    exit: 1,
    title: 'Python 3.11 not found',
    remedy:
      'Install Python 3.11 (Debian, Ubuntu: apt install python3.11 python3.11-venv) or name it in FLOWERS_PYTHON.',
  },
  TENSORFLOW_VENV_MISSING: {
    status: 500,
    exit: 1,
    title: 'Python without venv',
    remedy: 'Install the venv module of Python 3.11 (Debian, Ubuntu: apt install python3.11-venv).',
  },
  TENSORFLOW_INSTALL_FAILED: {
    status: 500,
    exit: 1,
    title: 'Python packages not installed',
    remedy:
      'Check the connection to the Python package registry and the free disk space (3 GB), then run the command again.',
  },
  TENSORFLOW_LIBRARY_MISSING: {
    status: 500,
    exit: 1,
    title: 'TensorFlow library not found',
    remedy: 'Remove packages/trainer/.venv and run the command again: it installs the library.',
  },
  TENSORFLOW_LIBRARY_VERSION: {
    status: 500,
    exit: 1,
    title: 'Wrong version of TensorFlow',
    remedy: 'Remove packages/trainer/.venv and run the command again: it installs the pinned version.',
  },
  TENSORFLOW_DEVICE_MISSING: {
    status: 500,
    exit: 1,
    title: 'No GPU that TensorFlow can use',
    remedy: 'Check that nvidia-smi lists the GPU and that the environment was made with CUDA, or use the CPU.',
  },
  TENSORFLOW_NOT_STARTED: {
    status: 500,
    exit: 1,
    title: 'TensorFlow not started',
    remedy: 'Await startTensorflow() before the first tensor.',
  },
  TENSORFLOW_VALUE_IN_TRACE: {
    status: 500,
    exit: 1,
    title: 'Value read while tracing',
    remedy: 'Return the tensor from the compiled function and read its value from the result.',
  },
  TENSORFLOW_OUTSIDE_TRACE: {
    status: 500,
    exit: 1,
    title: 'Tensor used outside its trace',
    remedy: 'Return the tensor from the compiled function; do not keep it in a variable outside.',
  },
  TENSORFLOW_UNKNOWN_SHAPE: {
    status: 500,
    exit: 1,
    title: 'Shape depends on data',
    remedy: 'Use operations whose result shape follows from the input shapes, or declare the shape with rawOp.',
  },
  TENSORFLOW_OP_REFUSED: {
    status: 500,
    exit: 1,
    title: 'TensorFlow refused an operation',
    remedy: 'Correct the inputs or attributes at the place named.',
  },
  TENSORFLOW_RUN_FAILED: {
    status: 500,
    exit: 1,
    title: 'A compiled function failed',
    remedy: 'Read the message of TensorFlow; the first operation named is the one that failed.',
  },
  TENSORFLOW_OUT_OF_MEMORY: {
    status: 500,
    exit: 1,
    title: 'Out of memory',
    remedy: 'Use a smaller batch or a smaller size.',
  },
  TENSORFLOW_DISPOSED: {
    status: 500,
    exit: 1,
    title: 'Used after dispose',
    remedy: 'Dispose of variables and compiled functions after their last use.',
  },
  SERVICE_CONFIGURATION: {
    status: 500,
    exit: 2,
    title: 'Wrong setting',
    remedy: 'Run the service with --help for the settings and their values.',
  },
  SERVICE_ADDRESS: {
    status: 500,
    exit: 1,
    title: 'Cannot listen',
    remedy: 'Choose another address with --host and --port, or stop what uses this one.',
  },
  SERVICE_MALFORMED: {
    status: 400,
    exit: 1,
    title: 'Malformed request',
    remedy: 'Correct the request; the detail says where it is wrong.',
  },
  SERVICE_PARAMETER: {
    status: 400,
    exit: 1,
    title: 'Wrong parameter',
    remedy:
      'Use the parameters model, tta, allow_step_down, top_k, details, label and the header X-Request-Timeout-Ms as described.',
  },
  SERVICE_TENSOR: {
    status: 400,
    exit: 1,
    title: 'Inference request does not fit the model',
    remedy: 'GET /v2/models/<name> describes the inputs and outputs of the model.',
  },
  SERVICE_UNAUTHORIZED: {
    status: 401,
    exit: 1,
    title: 'Token missing or wrong',
    remedy: 'Send the header "Authorization: Bearer" with the token of this service.',
  },
  SERVICE_FORBIDDEN: {
    status: 403,
    exit: 1,
    title: 'Administration not allowed',
    remedy: 'Set FLOWERS_ADMIN_TOKEN where the service runs, and send that token as "Authorization: Bearer".',
  },
  SERVICE_NO_IMAGE: {
    status: 400,
    exit: 1,
    title: 'No image in the request',
    remedy: 'Send the file in the multipart field img (curl -F img=@rose.jpg) or as the body.',
  },
  SERVICE_NOT_FOUND: { status: 404, exit: 1, title: 'No such page', remedy: 'See GET / for what there is.' },
  SERVICE_METHOD: {
    status: 405,
    exit: 1,
    title: 'Method not allowed',
    remedy: 'Use one of the methods in the Allow header.',
  },
  SERVICE_SLOW_REQUEST: {
    status: 408,
    exit: 1,
    title: 'Request arrives too slowly',
    remedy: 'Send the request again over a faster connection, or a smaller image.',
  },
  SERVICE_TOO_LARGE: { status: 413, exit: 1, title: 'Request too large', remedy: 'Send fewer or smaller images.' },
  SERVICE_MEDIA_TYPE: {
    status: 415,
    exit: 1,
    title: 'Content type not accepted',
    remedy:
      'Send the image as the body, or as the field img of multipart/form-data; tensors as JSON or application/octet-stream, not compressed otherwise than by gzip or deflate.',
  },
  SERVICE_RATE_LIMITED: {
    status: 429,
    exit: 1,
    title: 'Too many requests from this address',
    remedy: 'Wait for the seconds in Retry-After, then send fewer requests a minute.',
  },
  SERVICE_HEADERS_TOO_LARGE: {
    status: 431,
    exit: 1,
    title: 'Request headers too large',
    remedy: 'Send fewer or shorter headers.',
  },
  SERVICE_NOT_READY: {
    status: 503,
    exit: 1,
    title: 'Not ready',
    remedy: 'Wait for the seconds in Retry-After and send the request again.',
  },
  SERVICE_OVERLOADED: {
    status: 503,
    exit: 1,
    title: 'Too many requests are waiting',
    remedy: 'Wait for the seconds in Retry-After and send the request again.',
  },
  SERVICE_DEADLINE_SHORT: {
    status: 503,
    exit: 1,
    title: 'Deadline shorter than an answer takes',
    remedy: 'Allow more time in X-Request-Timeout-Ms, ask for fewer views with tta, or send fewer images at once.',
  },
  SERVICE_WORKER_LOST: {
    status: 503,
    exit: 1,
    title: 'The inference worker stopped',
    remedy: 'Wait for the seconds in Retry-After and send the request again.',
  },
  SERVICE_TOO_LATE: {
    status: 504,
    exit: 1,
    title: 'Deadline passed',
    remedy: 'Allow more time in X-Request-Timeout-Ms, or ask for fewer views with tta.',
  },
  RECIPE_UNKNOWN: {
    status: 400,
    exit: 2,
    title: 'No such recipe',
    remedy: 'Name one of the recipes, or a JSON file such as the recipe.json of a run.',
  },
  RECIPE_INVALID: {
    status: 400,
    exit: 2,
    title: 'Recipe does not hold together',
    remedy: 'Correct the settings named; docs/recipes.md lists all of them.',
  },
  RECIPE_SETTING: {
    status: 400,
    exit: 2,
    title: 'No such setting',
    remedy: 'Write --set path=value, with a path that the recipe has, such as --set phases.full.epochs=20.',
  },
  WEIGHTS_UNKNOWN: {
    status: 400,
    exit: 2,
    title: 'No such weights',
    remedy: 'Name weights of docs/weights.md, or a .safetensors file that exists.',
  },
  WEIGHTS_ARCHITECTURE: {
    status: 400,
    exit: 2,
    title: 'Weights of another architecture',
    remedy: 'Set model.architecture to that of the weights, or name other weights.',
  },
  WEIGHTS_DOWNLOAD: {
    status: 500,
    exit: 1,
    title: 'Weights not downloaded',
    remedy:
      'Check the connection, and HTTPS_PROXY if there is a proxy, or name a file of your own with --weights; what came is kept.',
  },
  WEIGHTS_CHANGED: {
    status: 500,
    exit: 1,
    title: 'Weights are not those that are pinned',
    remedy:
      'Nothing of them was kept. Try again; if it stays, the publisher has replaced the file, or the connection alters it.',
  },
  TRAIN_BATCH_TOO_LARGE: {
    status: 400,
    exit: 2,
    title: 'Batch larger than the data',
    remedy: 'Choose a smaller batch: --set phases.<name>.batch=8.',
  },
  TRAIN_DATA_CHANGED: {
    status: 400,
    exit: 1,
    title: 'Data changed since the run began',
    remedy: 'Put the data back as it was, or start a new run.',
  },
  TRAIN_DIVERGED: {
    status: 500,
    exit: 1,
    title: 'Training diverged',
    remedy:
      'Start a new run from the best checkpoint, which is intact (--weights FILE), with a smaller learning rate or a smaller clipNorm; in float16, also try --set precision=float32.',
  },
  TRAIN_MEMORY: {
    status: 500,
    exit: 1,
    title: 'Out of memory',
    remedy:
      'Start again with the batch that is named (phases.<name>.accumulate makes up for it), or a smaller size; what was saved is intact.',
  },
  TRAIN_RUN_EXISTS: {
    status: 409,
    exit: 2,
    title: 'Run folder in use',
    remedy: 'Choose another --out, or continue the run with --resume.',
  },
  TRAIN_RUN_MISSING: {
    status: 404,
    exit: 2,
    title: 'Not a run folder',
    remedy: 'Name a folder that `train` made: it holds recipe.json and data.json.',
  },
  TRAIN_STATE_INVALID: {
    status: 500,
    exit: 1,
    title: 'Saved state does not fit',
    remedy:
      'The file is damaged or belongs to another recipe; start a new run from checkpoints/best.safetensors with --set model.weights=FILE.',
  },
  EXPORT_TARGET: {
    status: 400,
    exit: 2,
    title: 'Not a place for a model',
    remedy: 'End the path with a name and a version: models/<name>/<version>, the version a positive integer.',
  },
  EXPORT_CONVERTER: {
    status: 500,
    exit: 1,
    title: 'Conversion to ONNX failed',
    remedy:
      'Read the lines of the converter; if a Python package is missing, remove packages/trainer/.venv and export again.',
  },
  EXPORT_PARITY: {
    status: 500,
    exit: 1,
    title: 'The ONNX file disagrees with the trainer',
    remedy: 'This is a defect of the export; nothing was written. Report it with the recipe.',
  },
  EVALUATE_LABELS: {
    status: 400,
    exit: 1,
    title: 'Classes that the model does not know',
    remedy: 'Evaluate or calibrate on photos of the classes in the manifest of the model.',
  },
  PREDICT_INPUT: {
    status: 400,
    exit: 2,
    title: 'No photos to label',
    remedy: 'Name a folder that holds photos, in any depth of folders.',
  },
  INTERNAL: { status: 500, exit: 1, title: 'Internal error', remedy: 'This is a defect; report it with the log.' },
  MODEL_UNKNOWN_ARCHITECTURE: {
    status: 400,
    exit: 2,
    title: 'Unknown architecture',
    remedy: 'Choose one of the names listed.',
  },
  MODEL_SAFETENSORS_INVALID: {
    status: 500,
    exit: 1,
    title: 'Not a valid safetensors file',
    remedy: 'Get the file again, or check that it was written completely.',
  },
  MODEL_WEIGHTS_MISMATCH: {
    status: 500,
    exit: 1,
    title: 'Weights do not fit the model',
    remedy: 'Check that the file belongs to this architecture and that head and LayerScale are set as in the file.',
  },
} as const satisfies Record<string, CatalogueEntry>

export type ErrorCode = keyof typeof catalogue

/** An error from the catalogue. `message` is what happened, with the facts of this case. */
export class FlowersError extends Error {
  readonly code: ErrorCode

  constructor(code: ErrorCode, detail: string, options?: { cause?: unknown }) {
    super(detail, options)
    this.name = 'FlowersError'
    this.code = code
  }

  get entry(): CatalogueEntry {
    return catalogue[this.code]
  }
}
