/**
 * Events as text for clients of the JSON WebSocket. `type` names the event as `TranscribeResponse` does in protobuf JSON, and
 * stands beside that JSON:
 *
 *     {"type":"transcript","sequence":3,"transcript":{"segmentIndex":0,"isFinal":true,"text":"Good morning.",…},…}
 *
 * so `message[message.type]` is the event. Its members stand at the top as well, for clients that look there: all but the
 * long lists of a summary. Words of a transcript have there the names that old clients read too: `word`, and `start` and
 * `end` in seconds. Members with default values are written.
 */
import { toJson } from "@bufbuild/protobuf";
import type { JsonObject } from "@bufbuild/protobuf";
import { TranscribeResponseSchema } from "../../../../gen/ts/parley/transcription/v1/transcription_pb.ts";
import type {
  TranscribeResponse,
  WatchSessionResponse,
} from "../../../../gen/ts/parley/transcription/v1/transcription_pb.ts";

/** Of a summary, which has them once already. */
const longLists = new Set(["words", "transcriptSegments"]);

/** They are empty. */
const notForWatchers = new Set(["sequence", "resumeToken"]);

export function writeEvent(response: TranscribeResponse): string {
  return JSON.stringify(describeEvent(response));
}

/** With the session, its speaker, and the cursor of WatchSession; without the members that watchers are not told. */
export function writeWatchedEvent({
  event,
  sessionId,
  participantIdentity,
  cursor,
}: WatchSessionResponse): string {
  const described = event ? describeEvent(event) : {};
  const text = { ...described, sessionId, participantIdentity, cursor };
  return JSON.stringify(text, (name, value: unknown) => (notForWatchers.has(name) ? undefined : value));
}

/** What the old service said beside the events: `started`, `stopped`, `session_complete`. */
export function writeStatus(type: string, message: string, more: JsonObject = {}): string {
  return JSON.stringify({ type, message, ...more });
}

function describeEvent(response: TranscribeResponse): JsonObject {
  const { case: type = "unknown" } = response.event;
  const json = toJson(TranscribeResponseSchema, response, { alwaysEmitImplicit: true }) as JsonObject;
  const event = json[type] as JsonObject;
  return { type, ...membersOf(type, event), ...json };
}

function membersOf(type: string, event: JsonObject): JsonObject {
  switch (type) {
    case "transcript":
      return { ...event, words: (event["words"] as JsonObject[]).map(withOldNames) };
    case "sessionSummary":
      return Object.fromEntries(Object.entries(event).filter(([name]) => !longLists.has(name)));
    default:
      return event;
  }
}

function withOldNames(word: JsonObject): JsonObject {
  const seconds = (ms: unknown) => (ms as number) / 1000;
  return { ...word, word: word["text"] ?? "", start: seconds(word["startMs"]), end: seconds(word["endMs"]) };
}
