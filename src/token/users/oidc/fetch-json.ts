/**
 * Asks an issuer for a JSON document: in bounded time, of bounded size, from the very address that was asked for. A redirection
 * is a failure, since it leads to where nobody said that the keys are.
 */
import type { Clock } from "../../../clock.ts";
import { parseJsonStrictly } from "../../jwt/parse-json-strictly.ts";
import { IssuerError } from "./issuer-error.ts";

export interface FetchJsonOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

export interface FetchedJson {
  readonly json: unknown;
  /** What the server's clock says, to the second, in milliseconds since the epoch. Absent: it does not say. */
  readonly serverTimeMs?: number;
}

/** For the whole answer. */
export const fetchTimeoutMs = 5_000;
/** Key sets are of a few kilobytes. */
export const maxDocumentBytes = 256 * 1024;

/** `what` names the document in messages. Rejects with IssuerError. */
export async function fetchJson(url: string, what: string, options: FetchJsonOptions): Promise<FetchedJson> {
  const { clock, signal } = options;
  const timeout = new AbortController();
  const cancel = clock.after(fetchTimeoutMs, () => timeout.abort());
  try {
    const response = await fetch(url, {
      redirect: "manual",
      headers: { accept: "application/json" },
      signal: AbortSignal.any([signal, timeout.signal]),
    });
    const json = parse(await readBody(response, what), what);
    const serverTimeMs = Date.parse(response.headers.get("date") ?? "");
    return { json, ...(!Number.isNaN(serverTimeMs) && { serverTimeMs }) };
  } catch (error) {
    if (error instanceof IssuerError) throw error;
    if (timeout.signal.aborted)
      throw new IssuerError(`${what} did not come within ${fetchTimeoutMs / 1000} s`, error);
    throw new IssuerError(`${what} cannot be fetched (${reasonOf(error)})`, error);
  } finally {
    cancel();
  }
}

async function readBody(response: Response, what: string): Promise<Buffer> {
  if (response.status !== 200) {
    await response.body?.cancel();
    const kind = response.status >= 300 && response.status < 400 ? ", a redirection" : "";
    throw new IssuerError(`${what} cannot be fetched (HTTP ${response.status}${kind})`);
  }
  const chunks: Uint8Array[] = [];
  let length = 0;
  const body: AsyncIterable<Uint8Array> | null = response.body;
  for await (const chunk of body ?? []) {
    length += chunk.byteLength;
    // Leaving the loop cancels the rest. Counted after decompression, so that a small answer cannot become a large one.
    if (length > maxDocumentBytes)
      throw new IssuerError(`${what} is larger than ${maxDocumentBytes / 1024} KiB`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function parse(body: Buffer, what: string): unknown {
  try {
    return parseJsonStrictly(new TextDecoder("utf-8", { fatal: true }).decode(body));
  } catch {
    throw new IssuerError(`${what} is not strict JSON`);
  }
}

/** `fetch` hides what happened in the cause. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof Error && "code" in cause && typeof cause.code === "string"
    ? cause.code
    : "no answer";
}
