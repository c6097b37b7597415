/** What a person is told about a kind of failure. */
export interface ErrorEntry {
  readonly title: string
  /** What to do. */
  readonly remedy: string
  /** Exit code of a command: 1 (default) failed, 2 wrong usage. */
  readonly exit?: 1 | 2
}

/**
 * An error of a package's catalogue: `code` names the kind, `message` says what happened with the facts of this case,
 * `entry` what to do. A command turns it into a sentence and an exit code, the service into an RFC 9457 problem.
 */
export class FlowersError<Code extends string = string> extends Error {
  readonly code: Code
  readonly entry: ErrorEntry

  constructor(code: Code, entry: ErrorEntry, detail: string, options?: ErrorOptions) {
    super(detail, options)
    this.name = new.target.name
    this.code = code
    this.entry = entry
  }
}

/** The kinds of failure that the trainer and the service share. */
export const sharedErrors = {
  IMAGE_EMPTY: { title: 'No image', remedy: 'Send the bytes of one image file.' },
  IMAGE_UNSUPPORTED: { title: 'Unsupported image format', remedy: 'Use JPEG, PNG, WebP, AVIF, TIFF or GIF.' },
  IMAGE_TOO_LARGE: { title: 'Image too large', remedy: 'Reduce the width and height of the image.' },
  IMAGE_BROKEN: { title: 'Broken image', remedy: 'Check that the file opens in a viewer and was transferred whole.' },
  IMAGE_SLOW: {
    title: 'Image takes too long to decode',
    remedy: 'Reduce the width and height of the image, or store it in a plain way (no interlacing, 8 bits a channel).',
  },
  MODEL_MISSING: {
    title: 'No such model',
    remedy: 'Name a model whose folder exists: <models>/<name>/<version>/manifest.json.',
  },
  MODEL_MANIFEST: { title: 'Unreadable model manifest', remedy: 'Export the model again.' },
  MODEL_FORMAT: {
    title: 'Unknown model format',
    remedy: 'Use a release of this program that reads the format, or export the model again.',
  },
  MODEL_TAMPERED: {
    title: 'Model files differ from the manifest',
    remedy: 'Copy the model folder again from its source, or export it again.',
  },
  MODEL_EXISTS: { exit: 2, title: 'Model version exists', remedy: 'Choose a new version number or remove the folder.' },
  MODEL_NAMES: {
    title: 'Unreadable names of a model',
    remedy:
      'Correct names.csv where the model was made: a header with the column label, then one line for a label. Then write the model folder again.',
  },
  MODEL_OUTPUT: { title: 'Model output unusable', remedy: 'Export the model again; its parity gate finds the cause.' },
  INTERNAL: { title: 'Internal error', remedy: 'This is a defect; report it with the log.' },
} as const satisfies Record<string, ErrorEntry>

export type SharedErrorCode = keyof typeof sharedErrors

export class SharedError extends FlowersError<SharedErrorCode> {
  constructor(code: SharedErrorCode, detail: string, options?: ErrorOptions) {
    super(code, sharedErrors[code], detail, options)
  }
}
