/** Reads StreamConfig against the caller's token. Throws SessionError for what cannot be served. */
import { AudioEncoding } from "../../../../gen/ts/parley/transcription/v1/transcription_pb.ts";
import type {
  Resume,
  StreamConfig,
  TranscribeRequest,
} from "../../../../gen/ts/parley/transcription/v1/transcription_pb.ts";
import type { ParticipantCaller } from "../../../token/caller.ts";
import { userTypeRights } from "../../../token/rooms/user-types.ts";
import type {
  AudioEncoding as DomainEncoding,
  AudioFormat,
} from "../../../transcription/audio/audio-format.ts";
import { SessionError } from "../../../transcription/session-error.ts";
import type { ContinueRequest } from "../../../transcription/session/continue-session.ts";
import type { SessionOptions, Speaker, StreamToken } from "../../../transcription/session/session-options.ts";
import { given } from "../optional.ts";

const defaultLanguageCode = "en";

/** What the first message asks for: a new session, or an earlier one to be continued. */
export type StreamRequest =
  | { readonly type: "open"; readonly options: Omit<SessionOptions, "sessionId" | "resumeToken"> }
  | { readonly type: "resume"; readonly request: ContinueRequest };

export function readStreamConfig(
  first: TranscribeRequest | undefined,
  caller: ParticipantCaller,
): StreamRequest {
  if (first?.message.case !== "config") {
    throw new SessionError("invalid", "the first message must be config; send it before audio and control");
  }
  const config = first.message.value;
  checkIdentity(config, caller);
  const { userId, roomName, participantIdentity } = caller;
  const speaker = { userId, roomName, participantIdentity };
  const token = streamTokenOf(caller);
  return config.resume
    ? { type: "resume", request: readResume(config.resume, config, speaker, token) }
    : { type: "open", options: readOptions(config, speaker, token) };
}

export function streamTokenOf({ tokenId, familyId, expireTime }: ParticipantCaller): StreamToken {
  return { tokenId, expireTime, ...(familyId !== undefined && { familyId }) };
}

function readOptions(config: StreamConfig, speaker: Speaker, token: StreamToken) {
  return {
    ...speaker,
    token,
    format: readFormat(config),
    languageCode: config.languageCode === "" ? defaultLanguageCode : config.languageCode,
    interimResults: config.interimResults ?? true,
    analyzeOnEnd: config.analyzeOnEnd,
    keyterms: config.keyterms,
    diarize: config.diarize,
    ...given("caseQuestion", config.caseQuestion),
  };
}

function readResume(
  resume: Resume,
  config: StreamConfig,
  speaker: Speaker,
  token: StreamToken,
): ContinueRequest {
  const { sessionId, resumeToken, finalsReceived } = resume;
  return {
    sessionId,
    resumeToken,
    speaker,
    token,
    ...(finalsReceived === undefined ? {} : { finalsReceived }),
    format: {
      ...(config.encoding === AudioEncoding.UNSPECIFIED ? {} : { encoding: readEncoding(config.encoding) }),
      ...(config.sampleRateHz === 0 ? {} : { sampleRateHz: config.sampleRateHz }),
      ...(config.channelCount === 0 ? {} : { channelCount: config.channelCount }),
    },
  };
}

function checkIdentity(config: StreamConfig, caller: ParticipantCaller): void {
  if (config.roomName !== "" && config.roomName !== caller.roomName) {
    throw new SessionError("forbidden", "room_name does not match token");
  }
  if (config.participantIdentity !== "" && config.participantIdentity !== caller.participantIdentity) {
    throw new SessionError("forbidden", "participant_identity does not match token");
  }
  if (!userTypeRights[caller.userType].speak) {
    throw new SessionError("forbidden", `a ${caller.userType.toUpperCase()} may not speak in this room`);
  }
}

function readFormat(config: StreamConfig): AudioFormat {
  if (config.sampleRateHz === 0) {
    throw new SessionError("invalid", "config.sample_rate_hz is required: 8000 to 48000");
  }
  return {
    encoding: readEncoding(config.encoding),
    sampleRateHz: config.sampleRateHz,
    channelCount: config.channelCount === 0 ? 1 : config.channelCount,
  };
}

function readEncoding(encoding: AudioEncoding): DomainEncoding {
  switch (encoding) {
    case AudioEncoding.LINEAR16:
      return "linear16";
    case AudioEncoding.MULAW:
      return "mulaw";
    case AudioEncoding.FLOAT32:
      return "float32";
    case AudioEncoding.OPUS:
      throw new SessionError(
        "unsupported",
        "config.encoding: OPUS is not served yet; send LINEAR16, FLOAT32 or MULAW",
      );
    default:
      throw new SessionError("invalid", "config.encoding is required: LINEAR16, FLOAT32 or MULAW");
  }
}
