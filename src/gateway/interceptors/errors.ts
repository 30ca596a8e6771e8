/**
 * The one place where errors become Connect codes. What the caller can mend keeps its message; anything else becomes
 * "internal error" with an id, and only the log has the rest.
 */
import { randomUUID } from "node:crypto";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import type { Interceptor } from "@connectrpc/connect";
import { RetryInfoSchema } from "../../../gen/ts/google/rpc/error_details_pb.ts";
import { AnalysisError } from "../../analysis/analysis-error.ts";
import type { StorageErrorCode } from "../../storage/open-storage.ts";
import { RateLimitError } from "../rate-limits/rate-limit-error.ts";
import { ForbiddenError, TokenError, TokenRequestError } from "../../token/token-error.ts";
import { IssuerError } from "../../token/users/oidc/issuer-error.ts";
import { EngineError } from "../../transcription/engines/speech-engine.ts";
import { SessionError } from "../../transcription/session-error.ts";
import type { SessionErrorCode } from "../../transcription/session-error.ts";

export interface ErrorsOptions {
  /** Receives what the caller is not told. */
  readonly onInternalError: (errorId: string, method: string, error: unknown) => void;
}

export function errorsInterceptor(options: ErrorsOptions): Interceptor {
  return (next) => async (request) => {
    const method = `${request.service.typeName}.${request.method.name}`;
    const convert = (error: unknown) => {
      // A handler that ends because its call did. What a peer resets its stream with is no error of this server's.
      if (request.signal.aborted && error === request.signal.reason)
        return knownError(error) ?? new ConnectError("the call was canceled", Code.Canceled);
      return toConnectError(error, (id) => options.onInternalError(id, method, error));
    };
    try {
      const response = await next(request);
      return response.stream ? { ...response, message: convertErrors(response.message, convert) } : response;
    } catch (error) {
      throw convert(error);
    }
  };
}

async function* convertErrors<T>(
  messages: AsyncIterable<T>,
  convert: (error: unknown) => ConnectError,
): AsyncIterable<T> {
  try {
    yield* messages;
  } catch (error) {
    throw convert(error);
  }
}

/** `onInternal` gets the id that the caller is given. */
export function toConnectError(error: unknown, onInternal: (errorId: string) => void): ConnectError {
  const known = knownError(error);
  if (known) return known;
  const errorId = randomUUID();
  onInternal(errorId);
  return new ConnectError(`internal error (${errorId})`, Code.Internal);
}

function knownError(error: unknown): ConnectError | undefined {
  if (error instanceof ConnectError)
    return error.code === Code.Internal || error.code === Code.Unknown ? undefined : error;
  if (error instanceof SessionError) return as(sessionCodes[error.code], error.message);
  if (error instanceof ForbiddenError) return as(Code.PermissionDenied, error.message);
  if (error instanceof TokenError) return as(Code.Unauthenticated, "the token is not good");
  if (error instanceof IssuerError)
    return as(Code.Unavailable, "the issuer of the token does not give its keys; try again");
  if (error instanceof TokenRequestError) return as(requestCodes[error.code], error.message);
  if (error instanceof RateLimitError) return tooOften(error);
  if (error instanceof AnalysisError) return as(analysisCodes[error.code], error.message);
  if (error instanceof EngineError) {
    return error.code === "capacity" ? as(Code.ResourceExhausted, error.message) : undefined;
  }
  if (isStorageError(error)) return as(storageCodes[error.code], storageMessages[error.code] ?? "");
  return undefined;
}

/** Says in seconds and as google.rpc.RetryInfo when to come again. */
function tooOften({ message, retryAfterMs }: RateLimitError): ConnectError {
  const retryAfter = { "retry-after": String(Math.ceil(retryAfterMs / 1000)) };
  const retryDelay = durationFromMs(retryAfterMs);
  return new ConnectError(message, Code.ResourceExhausted, retryAfter, [
    { desc: RetryInfoSchema, value: { retryDelay } },
  ]);
}

function as(code: Code | undefined, message: string): ConnectError | undefined {
  return code === undefined ? undefined : new ConnectError(message, code);
}

const sessionCodes: Readonly<Record<SessionErrorCode, Code | undefined>> = {
  invalid: Code.InvalidArgument,
  unsupported: Code.Unimplemented,
  forbidden: Code.PermissionDenied,
  limit: Code.ResourceExhausted,
  "unknown-session": Code.NotFound,
  "session-over": Code.FailedPrecondition,
  erased: Code.OutOfRange,
  capacity: Code.ResourceExhausted,
  "engine-unavailable": Code.Unavailable,
  "reader-stalled": Code.ResourceExhausted,
  idle: Code.DeadlineExceeded,
  "token-expired": Code.Unauthenticated,
  "client-gone": Code.Canceled,
  "storage-unavailable": Code.Unavailable,
  superseded: Code.Aborted,
  stopping: Code.Unavailable,
  internal: undefined,
};

const requestCodes: Readonly<Record<TokenRequestError["code"], Code>> = {
  invalid: Code.InvalidArgument,
  "not-configured": Code.FailedPrecondition,
  unsupported: Code.Unimplemented,
  "not-found": Code.NotFound,
  "already-exists": Code.AlreadyExists,
  limit: Code.ResourceExhausted,
};

const analysisCodes: Readonly<Record<AnalysisError["code"], Code>> = {
  invalid: Code.InvalidArgument,
  "not-found": Code.NotFound,
  "not-ready": Code.FailedPrecondition,
  limit: Code.ResourceExhausted,
};

const storageCodes: Readonly<Record<StorageErrorCode, Code | undefined>> = {
  unavailable: Code.Unavailable,
  fenced: Code.Aborted,
  "bad-page-token": Code.InvalidArgument,
  conflict: undefined,
  locked: undefined,
  corrupt: undefined,
  "disk-full": undefined,
  internal: undefined,
};

const storageMessages: Partial<Readonly<Record<StorageErrorCode, string>>> = {
  unavailable: "the database does not answer; try again",
  fenced: "the session was continued elsewhere or has ended",
  "bad-page-token":
    "page_token: not a token of this list; send next_page_token of the page before, or nothing",
};

/** By its shape: the class lives in storage, whose code only the composition root loads. */
function isStorageError(error: unknown): error is Error & { readonly code: StorageErrorCode } {
  return error instanceof Error && error.name === "StorageError";
}
