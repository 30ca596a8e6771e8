/** A caller or an address asks too often. Becomes RESOURCE_EXHAUSTED with google.rpc.RetryInfo and `retry-after`. */
export class RateLimitError extends Error {
  override readonly name = "RateLimitError";
  readonly code = "limit";
  readonly retryable = true;
  readonly retryAfterMs: number;

  constructor(message: string, retryAfterMs: number) {
    super(message);
    this.retryAfterMs = retryAfterMs;
  }
}
