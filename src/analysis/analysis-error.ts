/** What can be wrong with a request for an analysis, free of any transport. */
export type AnalysisErrorCode =
  /** The request breaks a rule. */
  | "invalid"
  /** No such session or interview, or it is somebody else's. */
  | "not-found"
  /** The session still runs. */
  | "not-ready"
  /** There are too many of them. */
  | "limit";

export class AnalysisError extends Error {
  override readonly name = "AnalysisError";
  readonly code: AnalysisErrorCode;
  readonly retryable = false;

  constructor(code: AnalysisErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}
