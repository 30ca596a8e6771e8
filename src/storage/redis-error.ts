/**
 * The one place that understands what the Redis client rejects with. Nothing of a reply but its first word is kept: Redis
 * repeats in it what it was sent, and that may be the password.
 */
import { ErrorReply } from "@redis/client";
import { StorageError } from "./storage-error.ts";

/** `internal` for what somebody has to change; anything else may be well later: `unavailable`. */
export function toRedisError(error: unknown): StorageError {
  if (error instanceof StorageError) return error;
  if (error instanceof ErrorReply) return fromReply(error);
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  // A code of Node's: of the network, or of a certificate that is not trusted. Of anything else the text is not known.
  if (typeof code === "string" && /^[A-Z_\d]+$/.test(code)) {
    return new StorageError("unavailable", `Redis cannot be reached (${code})`);
  }
  return new StorageError("unavailable", "the connection to Redis was lost, or cannot be had");
}

/** https://redis.io/docs/latest/develop/reference/protocol-spec/#simple-errors: the first word is the kind of error. */
function fromReply({ message }: ErrorReply): StorageError {
  const [word = "ERR"] = /^[A-Z]+(?= |$)/.exec(message) ?? [];
  if (refusals.has(word)) {
    return new StorageError("internal", `Redis refuses the user, the password or what they may do (${word})`);
  }
  return new StorageError("unavailable", `Redis did not do what it was asked (${word})`);
}

const refusals: ReadonlySet<string> = new Set(["NOAUTH", "WRONGPASS", "NOPERM"]);
