/** How long to wait before the next stream, and when to give up; knows all that went wrong since the last that worked. */
import { Code, ConnectError } from "@connectrpc/connect";
import { judgeFailure } from "./judge-failure.ts";
import { TokenUnavailable } from "./token-source.ts";
import { StreamLeft } from "./transcribe-stream.ts";
import type { TranscriptionTiming } from "./transcription-options.ts";
import { TranscriptionError } from "./transcription-error.ts";

export interface BrokenStream {
  readonly failure: unknown;
  readonly nowMs: number;
  /** There is a session that it began or was to continue. */
  readonly hasSession: boolean;
  /** The server took it. */
  readonly hasStarted: boolean;
  /** Something was acknowledged or committed, or it lived for a while. */
  readonly hasWorked: boolean;
}

export type NextStep =
  { readonly waitMs: number; readonly freshToken: boolean } | { readonly error: TranscriptionError };

export interface RetryPolicyOptions {
  readonly timing: TranscriptionTiming;
  readonly random: () => number;
  readonly canRenewToken: boolean;
  readonly nowMs: number;
}

const maxRefusedTokens = 3;
/** A full server needs longer to recover than a network. */
const slownessFactor = 8;
/** A stream that was abandoned may still reach the server, as when a network that was stuck lets everything through. */
const maxStrays = 3;
const strayForMs = 120_000;

export class RetryPolicy {
  readonly #options: RetryPolicyOptions;
  #workedAtMs: number;
  #failures = 0;
  #refusedTokens = 0;
  #strays: number[] = [];
  /** What the last stream was refused for; a limit of the session ends it, and only this tells which. */
  #refusal: unknown;

  constructor(options: RetryPolicyOptions) {
    this.#options = options;
    this.#workedAtMs = options.nowMs;
  }

  next(stream: BrokenStream): NextStep {
    const { failure, nowMs } = stream;
    if (stream.hasStarted) this.#refusedTokens = 0;
    if (stream.hasWorked) {
      this.#failures = 0;
      this.#workedAtMs = nowMs;
    }
    if (failure instanceof StreamLeft) return this.#afterLeaving(failure, stream);
    if (failure instanceof TokenUnavailable) {
      const refusal = refusedToGiveToken(failure);
      return refusal ? { error: refusal } : this.#retry(failure, nowMs);
    }
    const verdict = judgeFailure(failure, stream.hasSession);
    const refusal = this.#refusal;
    this.#refusal = verdict.action === "retry-slowly" ? failure : undefined;
    switch (verdict.action) {
      case "retry":
        return this.#retry(failure, nowMs);
      case "retry-slowly":
        return this.#retry(failure, nowMs, slownessFactor);
      case "renew-token":
        return this.#renewToken(failure, nowMs);
      case "superseded":
        return this.#countStray(nowMs) ? this.#retry(failure, nowMs) : { error: verdict.error };
      case "fail":
        return { error: refusal === undefined ? verdict.error : afterRefusal(verdict.error, refusal) };
    }
  }

  #afterLeaving(failure: StreamLeft, { nowMs, hasWorked }: BrokenStream): NextStep {
    if (failure.reason === "silent" || failure.reason === "no-answer") {
      this.#strays = [...this.#strays.slice(1 - maxStrays), nowMs];
    } else if (hasWorked) {
      return { waitMs: 0, freshToken: false };
    }
    return this.#retry(failure, nowMs);
  }

  /** Whether it was one of this client's own streams that took the session over. */
  #countStray(nowMs: number): boolean {
    const strays = this.#strays.filter((sinceMs) => nowMs - sinceMs < strayForMs);
    this.#strays = strays.slice(1);
    return strays.length > 0;
  }

  #renewToken(failure: unknown, nowMs: number): NextStep {
    this.#refusedTokens += 1;
    const { canRenewToken } = this.#options;
    if (!canRenewToken || this.#refusedTokens > maxRefusedTokens) {
      const message = canRenewToken
        ? `the server refuses every token: ${this.#refusedTokens} in a row`
        : "the server refuses the token; give `token` as a function that fetches a fresh one";
      return { error: new TranscriptionError("unauthenticated", message, failure) };
    }
    if (this.#refusedTokens === 1) return { waitMs: 0, freshToken: true };
    const next = this.#retry(failure, nowMs);
    return "error" in next ? next : { ...next, freshToken: true };
  }

  /** Exponential backoff with full jitter. */
  #retry(failure: unknown, nowMs: number, factor = 1): NextStep {
    const { timing, random } = this.#options;
    if (nowMs - this.#workedAtMs >= timing.giveUpAfterMs)
      return { error: gaveUp(failure, factor > 1, timing) };
    const ceilingMs = Math.min(timing.maxBackoffMs, timing.firstBackoffMs * factor * 2 ** this.#failures);
    this.#failures += 1;
    return { waitMs: random() * ceilingMs, freshToken: false };
  }
}

/** An app's backend that answers so will do so again; one that does not answer may do it later. */
function refusedToGiveToken(failure: TokenUnavailable): TranscriptionError | undefined {
  if (!(failure.cause instanceof ConnectError)) return undefined;
  const { code, rawMessage } = failure.cause;
  if (!finalTokenCodes.has(code)) return undefined;
  return new TranscriptionError("unauthenticated", `token() is refused a token: ${rawMessage}`, failure);
}

const finalTokenCodes: ReadonlySet<Code> = new Set([
  Code.Unauthenticated,
  Code.PermissionDenied,
  Code.InvalidArgument,
  Code.NotFound,
  Code.FailedPrecondition,
  Code.Unimplemented,
]);

function afterRefusal(error: TranscriptionError, refusal: unknown): TranscriptionError {
  if (error.code !== "session-lost") return error;
  const reason = refusal instanceof Error ? refusal.message : String(refusal);
  return new TranscriptionError("capacity", `the server ended the session: ${reason}`, refusal);
}

function gaveUp(failure: unknown, isFull: boolean, timing: TranscriptionTiming): TranscriptionError {
  const forMs = `for ${Math.round(timing.giveUpAfterMs / 1000)} s`;
  const reason = failure instanceof Error ? failure.message : String(failure);
  return isFull
    ? new TranscriptionError("capacity", `the server had no room ${forMs}: ${reason}`, failure)
    : new TranscriptionError("unreachable", `the server could not be reached ${forMs}: ${reason}`, failure);
}
