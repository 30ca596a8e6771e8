/** Why the model files cannot be had. Messages name files and folders, and say what the operator can do. */
export type ModelErrorCode =
  /** The registry cannot be reached, or npm cannot say where the package is. */
  | "unreachable"
  /** A file is not the one that was pinned; it is never used. */
  | "wrong-hash"
  | "disk-full"
  /** The folder cannot be written or read for another reason. */
  | "storage"
  /** The package came, but without the file. */
  | "missing-in-package";

export class ModelError extends Error {
  override readonly name = "ModelError";
  readonly code: ModelErrorCode;
  /** Whether trying again later, with nothing changed here, may succeed. */
  readonly retryable: boolean;

  constructor(code: ModelErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options?.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.retryable = code === "unreachable";
  }
}
