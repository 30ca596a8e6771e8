/** Reads StreamConfig against the caller's token. Throws SessionError for what cannot be served. */
import { AudioEncoding } from "../../../../gen/ts/parley/transcription/v1/transcription_pb.ts";
import type {
  StreamConfig,
  TranscribeRequest,
} from "../../../../gen/ts/parley/transcription/v1/transcription_pb.ts";
import type { ParticipantCaller } from "../../../token/caller.ts";
import { userTypeRights } from "../../../token/user-types.ts";
import type {
  AudioEncoding as DomainEncoding,
  AudioFormat,
} from "../../../transcription/audio/audio-format.ts";
import { SessionError } from "../../../transcription/session-error.ts";
import type { SessionOptions } from "../../../transcription/session/session-options.ts";
import { given } from "../optional.ts";

const defaultLanguageCode = "en";

export function readStreamConfig(
  first: TranscribeRequest | undefined,
  caller: ParticipantCaller,
): Omit<SessionOptions, "sessionId"> {
  if (first?.message.case !== "config") {
    throw new SessionError("invalid", "the first message must be config; send it before audio and control");
  }
  const config = first.message.value;
  if (config.resume)
    throw new SessionError("unsupported", "config.resume: this server cannot continue a session yet");
  checkIdentity(config, caller);
  return {
    userId: caller.userId,
    roomName: caller.roomName,
    participantIdentity: caller.participantIdentity,
    tokenExpireTime: caller.expireTime,
    format: readFormat(config),
    languageCode: config.languageCode === "" ? defaultLanguageCode : config.languageCode,
    interimResults: config.interimResults ?? true,
    analyzeOnEnd: config.analyzeOnEnd,
    ...given("caseQuestion", config.caseQuestion),
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
