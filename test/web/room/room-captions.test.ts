/** What a room's events come to: who speaks, in which order, and what is settled. */
import { create } from "@bufbuild/protobuf";
import { beforeEach, expect, test } from "vitest";
import {
  SpeechState,
  WatchSessionResponseSchema,
} from "../../../gen/ts/parley/transcription/v1/transcription_pb.ts";
import type { TranscribeResponseSchema } from "../../../gen/ts/parley/transcription/v1/transcription_pb.ts";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { RoomCaptions } from "../../../src/web/room/room-captions.ts";

type Event = NonNullable<MessageInitShape<typeof TranscribeResponseSchema>["event"]>;
let captions: RoomCaptions;
beforeEach(() => void (captions = new RoomCaptions()));

const take = (identity: string, event: Event, sessionId = identity) =>
  captions.take(
    create(WatchSessionResponseSchema, { sessionId, participantIdentity: identity, event: { event } }),
  );
const begin = (identity: string) => take(identity, { case: "sessionStarted", value: {} });
const say = (identity: string, segmentIndex: number, text: string, isFinal: boolean) =>
  take(identity, { case: "transcript", value: { segmentIndex, text, isFinal } });
const end = (identity: string) => take(identity, { case: "sessionSummary", value: {} });
const shown = () =>
  captions.rows.value.map(
    ({ speaker, text, isFinal }) => `${speaker.identity}${isFinal ? ":" : "~"} ${text}`,
  );

test("finals stand in the order in which they come, what is being said below them", () => {
  say("ada", 0, "I th", false);
  say("bob", 0, "Hello.", true);
  say("ada", 0, "I think", false);
  expect(shown()).toEqual(["bob: Hello.", "ada~ I think"]);
  say("ada", 0, "I think so.", true);
  say("bob", 1, "Good", false);
  expect(shown()).toEqual(["bob: Hello.", "ada: I think so.", "bob~ Good"]);
});

test("a row keeps its key while its words settle", () => {
  say("ada", 0, "I th", false);
  const [before] = captions.rows.value;
  say("ada", 0, "I think", true);
  expect(captions.rows.value[0]?.key).toBe(before?.key);
});

test("a name begins a turn where another one spoke before", () => {
  say("ada", 0, "One.", true);
  say("ada", 1, "Two.", true);
  say("bob", 0, "Three.", true);
  say("bob", 1, "Four", false);
  expect(captions.rows.value.map(({ beginsTurn }) => beginsTurn)).toEqual([true, false, true, false]);
});

test("a final that comes twice is shown once, and an interim after it changes nothing", () => {
  say("ada", 0, "One.", true);
  say("ada", 0, "One.", true);
  say("ada", 0, "On", false);
  expect(shown()).toEqual(["ada: One."]);
  expect(captions.participants.value[0]?.wordCount).toBe(1);
});

test("an empty interim and an empty final take a segment back", () => {
  say("ada", 0, "One", false);
  say("ada", 0, "", false);
  say("bob", 0, "Two", false);
  say("bob", 0, "", true);
  expect(shown()).toEqual([]);
});

test("segments of two sessions of one participant, and of two channels, are not mixed up", () => {
  take("ada", { case: "transcript", value: { segmentIndex: 0, text: "One.", isFinal: true } }, "s1");
  take("ada", { case: "transcript", value: { segmentIndex: 0, text: "Two.", isFinal: true } }, "s2");
  take(
    "ada",
    { case: "transcript", value: { segmentIndex: 0, channel: 1, text: "Three.", isFinal: true } },
    "s2",
  );
  expect(shown()).toEqual(["ada: One.", "ada: Two.", "ada: Three."]);
});

test("people are numbered as they come, are here while a session of theirs is open, and speak while they do", () => {
  begin("ada");
  begin("bob");
  take("bob", { case: "speechActivity", value: { state: SpeechState.STARTED } });
  expect(captions.participants.value).toEqual([
    { identity: "ada", number: 0, isHere: true, isSpeaking: false, wordCount: 0 },
    { identity: "bob", number: 1, isHere: true, isSpeaking: true, wordCount: 0 },
  ]);
  take("bob", { case: "speechActivity", value: { state: SpeechState.ENDED } });
  say("bob", 0, "Two words.", true);
  end("bob");
  expect(captions.participants.value[1]).toEqual({
    identity: "bob",
    number: 1,
    isHere: false,
    isSpeaking: false,
    wordCount: 2,
  });
});

test("what was being said when a session ended, or the connection was cut, is taken back", () => {
  say("ada", 0, "I w", false);
  say("bob", 0, "You w", false);
  end("ada");
  expect(shown()).toEqual(["bob~ You w"]);
  captions.forgetInterims();
  expect(shown()).toEqual([]);
});

test("the last final is told apart, to be read out", () => {
  say("ada", 0, "One", false);
  expect(captions.latestFinal.value).toBeUndefined();
  say("ada", 0, "One.", true);
  expect(captions.latestFinal.value?.text).toBe("One.");
});

test("figures and acknowledgements of speakers change nothing but that they are known", () => {
  begin("ada");
  const before = captions.rows.value;
  take("ada", { case: "audioAck", value: {} });
  take("ada", { case: "deliveryUpdate", value: {} });
  expect(captions.rows.value).toBe(before);
});
