/** A recording against a scripted server over real sockets: what goes up, what is kept, and what becomes of it. */
import { setImmediate } from "node:timers/promises";
import { Code } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Recording } from "../../../src/web/audio/recording-store.ts";
import type { MicrophoneOptions } from "../../../src/web/audio/open-microphone.ts";
import { AudioError } from "../../../src/web/audio/audio-error.ts";
import type { RecordingParts } from "../../../src/web/record/recording-parts.ts";
import { SessionRecording } from "../../../src/web/record/session-recording.ts";
import type { RecordingPlan } from "../../../src/web/record/session-recording.ts";
import { startScriptedTranscriptionServer } from "../../fakes/scripted-transcription-server.ts";
import type { ScriptedTranscriptionServer } from "../../fakes/scripted-transcription-server.ts";
import { systemClock } from "../../../src/client/clock.ts";

let server: ScriptedTranscriptionServer;
beforeEach(async () => {
  server = await startScriptedTranscriptionServer();
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((recording) => recording.leave()));
  await server.close();
});

const open: SessionRecording[] = [];

const counted = (from: number, to: number) =>
  Int16Array.from({ length: to - from }, (_, index) => from + index);

/** A store in memory, and a microphone that hears what a test says. */
function world(changes: Partial<RecordingParts> = {}) {
  const recordings = new Map<string, Recording>();
  const kept = new Map<string, Int16Array>();
  let microphone: MicrophoneOptions | undefined;
  const store: NonNullable<RecordingParts["store"]> = {
    list: async () => [...recordings.values()],
    delete: async (id) => void recordings.delete(id),
    begin: async (init) => {
      const recording: Recording = {
        ...init,
        recordingId: `recording-${recordings.size + 1}`,
        createdAtMs: 0,
        keptAtMs: 0,
        endSample: 0,
        isFinished: false,
      };
      recordings.set(recording.recordingId, recording);
      return recording;
    },
    update: async (id, update) => {
      const recording = recordings.get(id);
      if (recording) recordings.set(id, { ...recording, ...update });
    },
    append: async (id, firstSample, samples) => {
      const all = new Int16Array(firstSample + samples.length);
      all.set(kept.get(id) ?? new Int16Array(0));
      all.set(samples, firstSample);
      kept.set(id, all);
      const recording = recordings.get(id);
      if (recording) recordings.set(id, { ...recording, endSample: all.length });
    },
    read: async (id, from, to) => (kept.get(id) ?? new Int16Array(0)).slice(from, to),
  };
  const parts: RecordingParts = {
    transport: () => createGrpcTransport({ baseUrl: server.url }),
    enterRoom: async (roomName = "room-1") => ({ roomName, maySpeak: true, token: async () => "token" }),
    userId: "ann",
    store,
    hold: () => () => undefined,
    openMicrophone: async (options) => {
      microphone = options;
      return { stop: async () => void (microphone = undefined) };
    },
    startVoiceTracer: () => ({ trace: () => undefined, stop: () => undefined }),
    clock: systemClock,
    ...changes,
  };
  return {
    recordings,
    kept,
    record: (plan: RecordingPlan) => {
      const recording = new SessionRecording(plan, parts);
      open.push(recording);
      return recording;
    },
    /** Undefined: it is off. */
    microphone: () => microphone,
    speak: (samples: Int16Array<ArrayBuffer>) => microphone?.onSamples(samples),
  };
}

const phaseOf = (recording: SessionRecording) => expect.poll(() => recording.phase.value.name);

test("what the microphone hears goes up and is kept, also from before the session was there", async () => {
  const { record, speak, kept, recordings, microphone } = world();
  const recording = record({ source: "microphone", question: "Why you?" });
  await phaseOf(recording).toBe("recording");
  speak(counted(0, 800));
  const stream = await server.stream(0);
  expect(stream.config).toMatchObject({ analyzeOnEnd: true, caseQuestion: "Why you?", sampleRateHz: 16_000 });
  stream.start();
  speak(counted(800, 1_600));
  await stream.until(({ heard }) => heard?.to === 1_600);
  expect(recording.safety.value.unacknowledgedMs).toBeGreaterThan(0);
  stream.transcript({
    segmentIndex: 0,
    text: "um hello",
    words: [
      { text: "um", startMs: 0, endMs: 30 },
      { text: "hello", startMs: 60, endMs: 90 },
    ],
  });
  await expect
    .poll(() => recording.captions.rows.value[0]?.words.map(({ isFiller }) => isFiller))
    .toEqual([true, false]);
  void recording.stop();
  await stream.until(({ isHalfClosed }) => isHalfClosed);
  expect(recording.phase.value.name).toBe("finishing");
  expect(microphone()).toBeUndefined();
  stream.ack(1_600);
  stream.finish();
  await phaseOf(recording).toBe("done");
  expect(recording.phase.value).toEqual({ name: "done", sessionId: "session-1" });
  expect(kept.get("recording-1")).toEqual(counted(0, 1_600));
  expect(recordings.get("recording-1")).toMatchObject({
    isFinished: true,
    resume: { sessionId: "session-1", resumeToken: "secret-1" },
  });
});

test("a broken stream shows as reconnecting, and nothing that was said meanwhile is lost", async () => {
  const { record, speak } = world();
  const recording = record({ source: "microphone" });
  await phaseOf(recording).toBe("recording");
  const first = await server.stream(0);
  first.start();
  speak(counted(0, 1_600));
  await first.until(({ heard }) => heard?.to === 1_600);
  first.ack(800);
  first.fail(Code.Unavailable);
  await expect.poll(() => recording.connection.value).toBe("reconnecting");
  speak(counted(1_600, 3_200));
  const second = await server.stream(1);
  second.start({ nextSample: 800n, epoch: 2 });
  await second.until(({ heard }) => heard?.from === 800 && heard.to === 3_200);
  await expect.poll(() => recording.connection.value).toBe("live");
});

test("after a reload the kept audio is sent from where the server wants it, and then the microphone's", async () => {
  const before = world();
  const old = before.record({ source: "microphone" });
  await phaseOf(old).toBe("recording");
  const first = await server.stream(0);
  first.start();
  before.speak(counted(0, 8_000));
  await first.until(({ heard }) => heard?.to === 8_000);
  await expect.poll(() => before.recordings.get("recording-1")?.resume).toBeDefined();
  const left = before.recordings.get("recording-1")!;
  expect(left.endSample).toBe(8_000);

  const after = world();
  after.recordings.set(left.recordingId, left);
  after.kept.set(left.recordingId, before.kept.get(left.recordingId)!);
  const recording = after.record({ source: "kept", recording: left, goOn: true });
  await phaseOf(recording).toBe("recording");
  after.speak(counted(8_000, 8_800));
  const second = await server.stream(1);
  expect(second.config.resume).toMatchObject({
    sessionId: "session-1",
    resumeToken: "secret-1",
    finalsReceived: 0,
  });
  second.start({ nextSample: 5_000n, epoch: 2 });
  await second.until(({ heard }) => heard?.to === 8_800);
  expect(second.heard).toEqual({ from: 5_000, to: 8_800 });
  const sent = second.audio.map(({ data }) => [...new Int16Array(data.slice().buffer)]).flat();
  expect(Int16Array.from(sent)).toEqual(counted(5_000, 8_800));
  void recording.stop();
  await second.until(({ isHalfClosed }) => isHalfClosed);
  second.ack(8_800);
  second.finish();
  await phaseOf(recording).toBe("done");
  expect(after.kept.get("recording-1")).toEqual(counted(0, 8_800));
  await old.stop();
});

test("a kept recording can be finished without a microphone, also when the session was over already", async () => {
  const { record, recordings, kept } = world({
    openMicrophone: () => Promise.reject(new Error("not to be opened")),
  });
  const left: Recording = {
    recordingId: "recording-1",
    userId: "ann",
    source: "microphone",
    title: "Microphone",
    roomName: "room-1",
    createdAtMs: 0,
    keptAtMs: 0,
    endSample: 1_000,
    isFinished: false,
    resume: { sessionId: "session-1", resumeToken: "secret-1" },
  };
  recordings.set("recording-1", left);
  kept.set("recording-1", counted(0, 1_000));
  const recording = record({ source: "kept", recording: left, goOn: false });
  const stream = await server.stream(0);
  stream.start({ nextSample: 1_000n });
  stream.finish();
  await phaseOf(recording).toBe("done");
  expect(recordings.get("recording-1")?.isFinished).toBe(true);
});

test("a file is kept whole before it is sent, and ends by itself", async () => {
  const { record, kept } = world();
  const samples = counted(0, 40_000);
  const recording = record({ source: "file", samples, title: "answer.wav", isPaced: false });
  const stream = await server.stream(0);
  expect(kept.get("recording-1")).toEqual(samples);
  stream.start();
  await stream.until(({ isHalfClosed }) => isHalfClosed);
  expect(stream.heard).toEqual({ from: 0, to: 40_000 });
  stream.ack(40_000);
  stream.finish();
  await phaseOf(recording).toBe("done");
});

test("what goes wrong before anything was sent is said in words", async () => {
  const refused = new AudioError("microphone-refused", "This page may not use the microphone.");
  const noMicrophone = world({ openMicrophone: () => Promise.reject(refused) }).record({
    source: "microphone",
  });
  await phaseOf(noMicrophone).toBe("failed");
  expect(noMicrophone.phase.value).toMatchObject({ message: refused.message, canContinue: false });
  const watching = world({
    enterRoom: async () => ({ roomName: "stage", maySpeak: false, token: async () => "" }),
  }).record({ source: "microphone" });
  await phaseOf(watching).toBe("failed");
  expect(watching.phase.value).toMatchObject({
    message: "You may watch the room “stage”, but not speak in it.",
  });
});

test("a session that cannot be gone on with says so, and its recording is over", async () => {
  const { record, speak, recordings } = world();
  const recording = record({ source: "microphone" });
  await phaseOf(recording).toBe("recording");
  const first = await server.stream(0);
  first.start();
  speak(counted(0, 800));
  await first.until(({ heard }) => heard?.to === 800);
  first.fail(Code.Unavailable);
  (await server.stream(1)).fail(Code.NotFound);
  await phaseOf(recording).toBe("failed");
  expect(recording.phase.value).toMatchObject({ sessionId: "session-1", canContinue: false });
  expect(recordings.get("recording-1")?.isFinished).toBe(true);
});

test("stopping before there is a session takes it all back", async () => {
  const entering = Promise.withResolvers<never>();
  const { record, microphone } = world({ enterRoom: () => entering.promise });
  const recording = record({ source: "microphone" });
  await expect.poll(microphone).toBeDefined();
  await recording.stop();
  expect(recording.phase.value.name).toBe("cancelled");
  expect(microphone()).toBeUndefined();
});

test("what was cancelled while the microphone was asked for enters no room and keeps nothing", async () => {
  const opening = Promise.withResolvers<undefined>();
  let stopCount = 0;
  const entered: (string | undefined)[] = [];
  const { record, recordings } = world({
    openMicrophone: async () => {
      await opening.promise;
      return { stop: async () => void (stopCount += 1) };
    },
    enterRoom: async (roomName) => {
      entered.push(roomName);
      return { roomName: "room-1", maySpeak: true, token: async () => "token" };
    },
  });
  const recording = record({ source: "microphone" });
  await recording.stop();
  opening.resolve(undefined);
  await expect.poll(() => stopCount).toBe(1);
  await setImmediate();
  expect(recording.phase.value.name).toBe("cancelled");
  expect(entered).toEqual([]);
  expect(recordings.size).toBe(0);
});

test("what was cancelled while its room was entered leaves no recording behind, and lets it go", async () => {
  const entering = Promise.withResolvers<undefined>();
  let heldCount = 0;
  const { record, recordings, microphone } = world({
    enterRoom: async () => {
      await entering.promise;
      return { roomName: "room-1", maySpeak: true, token: async () => "token" };
    },
    hold: () => {
      heldCount += 1;
      return () => void (heldCount -= 1);
    },
  });
  const recording = record({ source: "microphone" });
  await expect.poll(microphone).toBeDefined();
  await recording.stop();
  entering.resolve(undefined);
  await setImmediate();
  expect(recording.phase.value.name).toBe("cancelled");
  expect([heldCount, recordings.size]).toEqual([0, 0]);
});

test("a microphone that is asked for twice is opened once", async () => {
  let openCount = 0;
  const { record } = world({
    openMicrophone: async () => {
      openCount += 1;
      await setImmediate();
      return { stop: async () => undefined };
    },
  });
  const recording = record({ source: "microphone" });
  await phaseOf(recording).toBe("recording");
  await Promise.all([recording.reopenMicrophone(), recording.reopenMicrophone()]);
  expect(openCount).toBe(2); // the first, and one again
});

test("a microphone that goes away can be opened again, and goes on where it stopped", async () => {
  const { record, speak, microphone } = world();
  const recording = record({ source: "microphone" });
  await phaseOf(recording).toBe("recording");
  const stream = await server.stream(0);
  stream.start();
  speak(counted(0, 800));
  microphone()?.onLost();
  await expect.poll(() => recording.notices.all.value.map(({ kind }) => kind)).toEqual(["microphone-lost"]);
  await recording.reopenMicrophone();
  expect(recording.notices.all.value).toEqual([]);
  speak(counted(800, 1_600));
  await stream.until(({ heard }) => heard?.to === 1_600);
});

test("where the browser keeps nothing, recording works and says what that means", async () => {
  const { record, speak } = world({ store: undefined });
  const recording = record({ source: "microphone" });
  await phaseOf(recording).toBe("recording");
  expect(recording.notices.all.value.map(({ kind }) => kind)).toEqual(["not-kept"]);
  const stream = await server.stream(0);
  stream.start();
  speak(counted(0, 800));
  await stream.until(({ heard }) => heard?.to === 800);
});
