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
  INTERNAL: { status: 500, exit: 1, title: 'Internal error', remedy: 'This is a defect; report it with the log.' },
  MODEL_UNKNOWN_ARCHITECTURE: { status: 400, exit: 2, title: 'Unknown architecture', remedy: 'Choose one of the names listed.' },
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
