/**
 * Follows a room until it is told to stop: from the last cursor after each cut, sooner when the browser is back online. Owns
 * the waiting and nothing of what is shown.
 */
import { Code, ConnectError, type Client } from "@connectrpc/connect";
import type {
  TranscriptionService,
  WatchSessionResponse,
} from "../../../gen/ts/parley/transcription/v1/transcription_pb.ts";
import { signInErrorOf } from "../session/sign-in-error.ts";

/**
 * - `connecting`: for the first time
 * - `live`: events come as they happen
 * - `reconnecting`: the connection is lost, and is tried again
 * - `failed`: trying again would not help
 */
export type WatchState = "connecting" | "live" | "reconnecting" | "failed";

export interface WatchRoomOptions {
  readonly client: Pick<Client<typeof TranscriptionService>, "watchSession">;
  readonly roomName: string;
  readonly onEvent: (event: WatchSessionResponse) => void;
  /** `error` says why, for `reconnecting` and `failed`. */
  readonly onState: (state: WatchState, error?: unknown) => void;
  /** The log begins anew: what was shown of it is to be forgotten. */
  readonly onRestart: () => void;
  readonly signal: AbortSignal;
  /** Resolves after so long, or sooner when it is worth while to try. */
  readonly wait: (ms: number, signal: AbortSignal) => Promise<void>;
  /**
   * Resolves when a stream that was not refused until then can be taken for open. The server answers with the first event, and
   * in a silent room there is none. Rejects or not when the signal aborts.
   */
  readonly settle: (signal: AbortSignal) => Promise<void>;
  /** Aborts when the browser says that it is offline, until the attempt is over. */
  readonly whileOnline?: (attempt: AbortSignal) => AbortSignal;
}

const firstWaitMs = 500;
const maxWaitMs = 10_000;

/** Resolves when `signal` aborts or when it failed; never rejects. */
export async function watchRoom(options: WatchRoomOptions): Promise<void> {
  const { client, roomName, onEvent, onState, onRestart, signal, wait, settle, whileOnline } = options;
  let cursor = "";
  let failures = 0;
  const isOver = () => signal.aborted;
  onState("connecting");
  while (!isOver()) {
    let error: unknown;
    const attempt = new AbortController();
    const onOpen = () => {
      if (!attempt.signal.aborted) onState("live");
    };
    settle(attempt.signal).then(onOpen, () => undefined);
    try {
      const stream = client.watchSession(
        { selector: { case: "roomName", value: roomName }, cursor },
        {
          signal: whileOnline ? AbortSignal.any([signal, whileOnline(attempt.signal)]) : signal,
          onHeader: onOpen,
        },
      );
      for await (const event of stream) {
        failures = 0;
        cursor = event.cursor;
        onEvent(event);
      }
    } catch (caught) {
      error = caught;
    } finally {
      attempt.abort();
    }
    if (isOver()) return;
    if (isCursorGone(error) && cursor !== "") {
      cursor = "";
      onRestart();
    } else if (!isWorthAnother(error, failures)) {
      onState("failed", error);
      return;
    }
    onState("reconnecting", error);
    await wait(Math.min(firstWaitMs * 2 ** failures, maxWaitMs), signal);
    failures += 1;
  }
}

function isCursorGone(error: unknown): boolean {
  return error instanceof ConnectError && error.code === Code.OutOfRange;
}

/** A token may expire in the middle; one that is not taken from the start is not good. */
function isWorthAnother(error: unknown, failures: number): boolean {
  const signInError = signInErrorOf(error);
  if (signInError) return signInError.retryable;
  switch (ConnectError.from(error).code) {
    case Code.Unauthenticated:
      return failures === 0;
    case Code.InvalidArgument:
    case Code.NotFound:
    case Code.PermissionDenied:
    case Code.FailedPrecondition:
    case Code.OutOfRange:
    case Code.Unimplemented:
      return false;
    default:
      return true;
  }
}
