/** What clients of the JSON WebSocket say in text. Names may be in camelCase or in snake_case. Throws ConnectError INVALID_ARGUMENT. */
import { fromJson } from "@bufbuild/protobuf";
import type { JsonObject } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import {
  AudioEncoding,
  StreamConfigSchema,
} from "../../../../gen/ts/parley/transcription/v1/transcription_pb.ts";
import type { StreamConfig } from "../../../../gen/ts/parley/transcription/v1/transcription_pb.ts";

export type ClientMessage =
  | { readonly action: "start"; readonly config: StreamConfig }
  | { readonly action: "stop" | "complete" | "finalize" | "keepAlive" }
  | { readonly action: "reauthenticate"; readonly token: string };

/** What old clients send. */
const oldSampleRateHz = 16_000;

export function readClientMessage(text: string): ClientMessage {
  const { action, ...members } = readObject(text);
  switch (action) {
    case "start":
      return { action, config: readConfig(members) };
    case "stop":
    case "complete":
    case "finalize":
      return { action };
    case "keepAlive":
    case "keep_alive":
      return { action: "keepAlive" };
    case "reauthenticate": {
      const { token } = members;
      if (typeof token !== "string") throw invalid("reauthenticate: token is missing");
      return { action, token };
    }
    default:
      throw invalid("action: expected start, stop, complete, finalize, keepAlive or reauthenticate");
  }
}

/** The members of StreamConfig in protobuf JSON; others are left alone. */
function readConfig(members: JsonObject): StreamConfig {
  let config: StreamConfig;
  try {
    config = fromJson(StreamConfigSchema, members, { ignoreUnknownFields: true });
  } catch {
    throw invalid("start: a member is not what it should be; roomName and participantIdentity are texts");
  }
  if (config.resume) return config;
  if (config.encoding === AudioEncoding.UNSPECIFIED) config.encoding = AudioEncoding.LINEAR16;
  if (config.sampleRateHz === 0) config.sampleRateHz = oldSampleRateHz;
  return config;
}

function readObject(text: string): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined;
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as JsonObject;
  throw invalid('text messages are JSON objects such as {"action":"start"}');
}

export function invalid(message: string): ConnectError {
  return new ConnectError(message, Code.InvalidArgument);
}
