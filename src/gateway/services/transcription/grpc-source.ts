/** A Transcribe request stream as a session's source. Sees to the order of messages and to fresh tokens. */
import { Code, ConnectError } from "@connectrpc/connect";
import type {
  StreamControl,
  TranscribeRequest,
} from "../../../../gen/ts/parley/transcription/v1/transcription_pb.ts";
import { sleep } from "../../../clock.ts";
import type { Clock } from "../../../clock.ts";
import type { Caller, ParticipantCaller } from "../../../token/caller.ts";
import { TokenError } from "../../../token/token-error.ts";
import { userTypeRights } from "../../../token/rooms/user-types.ts";
import { SessionError } from "../../../transcription/session-error.ts";
import type { StreamToken } from "../../../transcription/session/session-options.ts";
import type { SourceMessage } from "../../../transcription/sources/session-source.ts";
import { streamTokenOf } from "./read-stream-config.ts";

export interface GrpcSourceOptions {
  readonly caller: ParticipantCaller;
  /** Throws TokenError. */
  readonly verifyToken: (token: string) => Caller;
  readonly clock: Clock;
  /** Aborts when the call is over. */
  readonly signal: AbortSignal;
}

/**
 * Node's HTTP/2 client half-closes a call that it cancels, in the same breath: a half-close counts only when no cancellation
 * follows on it. Long enough for the two to come apart on the way, and too short to be felt.
 */
const halfCloseGraceMs = 100;

/** As the proto says of AudioChunk.data. */
const maxChunkBytes = 64 * 1024;

/** What follows on `config`. */
export async function* grpcSource(
  requests: AsyncIterator<TranscribeRequest, undefined>,
  options: GrpcSourceOptions,
): AsyncGenerator<SourceMessage, undefined> {
  for (;;) {
    const next = await readNext(requests);
    if (next.done) {
      await sleep(options.clock, halfCloseGraceMs, options.signal);
      return undefined;
    }
    yield toSourceMessage(next.value, options);
  }
}

/** The next request. What the client did wrong becomes a SessionError; a broken connection stays what it is. */
export async function readNext(
  requests: AsyncIterator<TranscribeRequest, undefined>,
): Promise<IteratorResult<TranscribeRequest, undefined>> {
  try {
    return await requests.next();
  } catch (error) {
    throw error instanceof ConnectError ? whatTheClientDid(error) : error;
  }
}

function whatTheClientDid(error: ConnectError): SessionError {
  switch (error.code) {
    case Code.InvalidArgument:
      return new SessionError("invalid", error.rawMessage, error);
    case Code.ResourceExhausted:
      return new SessionError("invalid", "a message is larger than 64 KiB; send smaller chunks", error);
    case Code.Canceled:
    case Code.Aborted:
    case Code.Unavailable:
    case Code.DeadlineExceeded:
      return new SessionError("client-gone", "the client is gone", error);
    default:
      return new SessionError("invalid", "a message cannot be read; send TranscribeRequest messages", error);
  }
}

function toSourceMessage(request: TranscribeRequest, options: GrpcSourceOptions): SourceMessage {
  const { message } = request;
  switch (message.case) {
    case "audio": {
      const { data, firstSample } = message.value;
      if (data.byteLength > maxChunkBytes) {
        throw new SessionError(
          "invalid",
          `audio.data holds ${data.byteLength} bytes; at most ${maxChunkBytes} a chunk`,
        );
      }
      if (firstSample < 0n) throw new SessionError("invalid", "audio.first_sample is negative; count from 0");
      return { type: "audio", firstSample: Number(firstSample), data };
    }
    case "control":
      return toControl(message.value, options);
    case "config":
      throw new SessionError("invalid", "config was sent twice; it comes first, and once");
    case undefined:
      throw new SessionError("invalid", "an empty message; send audio or control");
  }
}

function toControl(control: StreamControl, options: GrpcSourceOptions): SourceMessage {
  const { action } = control;
  switch (action.case) {
    case "finalize":
      return { type: "finalize" };
    case "keepAlive":
      return { type: "keep-alive" };
    case "reauthenticate":
      return { type: "reauthenticated", token: reauthenticate(action.value.token, options) };
    case undefined:
      throw new SessionError("invalid", "an empty control; send finalize, reauthenticate or keep_alive");
  }
}

function reauthenticate(token: string, options: GrpcSourceOptions): StreamToken {
  let fresh: Caller;
  try {
    fresh = options.verifyToken(token);
  } catch (error) {
    if (error instanceof TokenError)
      throw new SessionError("token-expired", "reauthenticate.token is not good", error);
    throw error;
  }
  const { userId, roomName, participantIdentity } = options.caller;
  if (
    fresh.kind !== "participant" ||
    fresh.userId !== userId ||
    fresh.roomName !== roomName ||
    fresh.participantIdentity !== participantIdentity ||
    !userTypeRights[fresh.userType].speak
  ) {
    throw new SessionError("forbidden", "reauthenticate.token is for another room or participant");
  }
  return streamTokenOf(fresh);
}
