import { describe, expect, test } from "vitest";
import { EngineError } from "../../../src/transcription/engines/speech-engine.ts";
import { SessionError } from "../../../src/transcription/session-error.ts";
import type { AnalysisRequest } from "../../../src/transcription/session/session-options.ts";
import type { SessionEvent } from "../../../src/transcription/session/session-events.ts";
import { createScriptedEngine } from "../../fakes/scripted-engine.ts";
import { createMarkerEngine, markedAudio } from "../../fakes/marker-engine.ts";
import { settle } from "../../fakes/manual-clock.ts";
import { FakeStorageError } from "./memory-session-store.ts";
import { openTestSession, rate, utterance } from "./open-test-session.ts";

const ofType = <T extends SessionEvent["type"]>(events: readonly SessionEvent[], type: T) =>
  events.filter((event): event is Extract<SessionEvent, { type: T }> => event.type === type);
const finalsOf = (events: readonly SessionEvent[]) =>
  ofType(events, "transcript").filter((event) => event.isFinal);
const cutInThirdMark = markedAudio([1, 2, 3]).subarray(0, rate);
const bytesOf = (samples: Int16Array) =>
  new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength);

describe("acknowledgement", () => {
  test("audio is acknowledged, and finals are sent, only once their commit has succeeded", async () => {
    const { session, store, events, send } = await openTestSession({
      script: utterance("hello world", 200, 900, 1000),
    });
    const commit = Promise.withResolvers<undefined>();
    store.beforeCommit = () => commit.promise;
    await send(1500);
    await settle();
    expect(finalsOf(events)).toEqual([]);
    expect(ofType(events, "ack")).toEqual([]);

    commit.resolve(undefined);
    await settle();
    expect(finalsOf(events).map((event) => event.text)).toEqual(["hello world"]);
    expect(ofType(events, "ack").at(-1)).toMatchObject({ throughSample: rate * 0.9, throughMs: 900 });
    await session.complete();
  });

  test("an acknowledgement never reaches past what is committed, and never falls", async () => {
    const { session, store, events, send } = await openTestSession({
      script: [...utterance("one", 100, 400, 500), ...utterance("two", 1000, 1400, 1600)],
    });
    for (let chunk = 0; chunk < 30; chunk++) {
      await send(100);
      await settle();
      expect(ofType(events, "ack").at(-1)?.throughSample ?? 0).toBeLessThanOrEqual(store.committedThrough());
    }
    await session.complete();
    const acks = ofType(events, "ack").map((event) => event.throughSample);
    expect(acks).toEqual([...acks].sort((a, b) => a - b));
    expect(acks.at(-1)).toBe(rate * 3);
  });

  test("goes on when the position moved during a slow commit, also when nobody says another word", async () => {
    const { session, store, events, send } = await openTestSession({ engine: createMarkerEngine() });
    const commit = Promise.withResolvers<undefined>();
    store.beforeCommit = () => commit.promise;
    for (let second = 0; second < 10; second++) await send(1000);
    await settle();
    commit.resolve(undefined);
    await settle();
    expect(ofType(events, "ack").at(-1)?.throughSample).toBe(10 * rate);
    await session.complete();
  });

  test.each([11_025, 22_050, 24_000, 32_000, 44_100, 48_000])(
    "reaches the very last sample at %i Hz when the session ends",
    async (sampleRateHz) => {
      const { session, events } = await openTestSession({
        engine: createMarkerEngine(),
        format: { encoding: "linear16", sampleRateHz, channelCount: 1 },
      });
      await session.audio(0, new Uint8Array((sampleRateHz + 7) * 2));
      await session.complete();
      await settle();
      expect(ofType(events, "ack").at(-1)?.throughSample).toBe(sampleRateHz + 7);
    },
  );

  test("with several channels it is as far as the slowest of them", async () => {
    const engine = createMarkerEngine();
    const { session, events } = await openTestSession({
      engine,
      format: { encoding: "linear16", sampleRateHz: rate, channelCount: 2 },
    });
    // The second channel speaks to the very end; the first is silent.
    const interleaved = new Int16Array(rate * 2);
    for (let frame = rate / 2; frame < rate; frame++) interleaved[frame * 2 + 1] = 3277;
    await session.audio(0, bytesOf(interleaved));
    await settle();
    expect(ofType(events, "ack").at(-1)?.throughSample ?? 0).toBeLessThanOrEqual(rate / 2);
    await session.complete();
    expect(finalsOf(events)).toMatchObject([{ channel: 1, text: "w100", startMs: 500, endMs: 1000 }]);
    expect(ofType(events, "ack").at(-1)?.throughSample).toBe(rate);
  });
});

describe("captions", () => {
  test("interims and the final of a segment share its index, and revisions count up", async () => {
    const { session, events, send } = await openTestSession({
      script: utterance("hello world", 0, 1000, 1200),
    });
    await send(600);
    await send(900);
    await session.complete();
    expect(
      ofType(events, "transcript").map(({ segmentIndex, revision, isFinal }) => [
        segmentIndex,
        revision,
        isFinal,
      ]),
    ).toEqual([
      [0, 0, false],
      [0, 1, true],
    ]);
  });

  test("an interim whose segment held no words is taken back, and its index is used by the next", async () => {
    const word = { text: "cough", startSample: 0, endSample: 1600 };
    const { session, events, send } = await openTestSession({
      script: [
        { atSample: 1600, event: { type: "interim", startSample: 0, text: "cough", words: [word] } },
        { atSample: 8000, event: { type: "boundary", throughSample: 8000 } },
        { atSample: 8800, event: { type: "boundary", throughSample: 8800 } },
        ...utterance("hello", 1000, 1500, 1600),
      ],
    });
    for (let chunk = 0; chunk < 20; chunk++) await send(100);
    await session.complete();
    const said = ofType(events, "transcript").map(({ segmentIndex, text, isFinal }) => [
      segmentIndex,
      text,
      isFinal,
    ]);
    expect(said).toEqual([
      [0, "cough", false],
      [0, "", false],
      [0, "hello", false],
      [0, "hello", true],
    ]);
  });

  test("words keep their times on the session clock at any sample rate", async () => {
    const { session, events } = await openTestSession({
      engine: createMarkerEngine(),
      format: { encoding: "linear16", sampleRateHz: 48_000, channelCount: 1 },
    });
    const slow = markedAudio([500]);
    const fast = new Int16Array(slow.length * 3).map((_, index) => slow[Math.floor(index / 3)]!);
    await session.audio(0, bytesOf(fast));
    await session.complete();
    // The band-limited edges of the mark are heard as other marks; the longest is the plateau between them.
    const [plateau] = finalsOf(events)
      .flatMap((event) => event.words)
      .filter((word) => word.text === "w500")
      .sort((a, b) => b.endMs - b.startMs - (a.endMs - a.startMs));
    expect(plateau?.startMs).toBeLessThanOrEqual(20);
    expect(Math.abs(plateau!.endMs - 300)).toBeLessThanOrEqual(20);
  });
});

describe("a session that ends well", () => {
  test("gives the last finals, figures and the summary, and is written as completed", async () => {
    const { session, store, events, ended, send } = await openTestSession({
      script: utterance("one two three", 100, 1600, 99_000),
    });
    await send(2000);
    await session.complete();
    await ended;
    expect(events.map((event) => event.type).slice(-3)).toEqual(["ack", "delivery", "summary"]);
    const summary = ofType(events, "summary")[0]!.summary;
    expect(summary.words.map((word) => word.text)).toEqual(["one", "two", "three"]);
    expect(summary.figures).toMatchObject({ durationMs: 2000, speakingMs: 1500, totalWords: 3 });
    expect(store.ends).toMatchObject([{ reason: "completed", durationMs: 2000 }]);
  });

  test("queues an analysis when it was asked to, and names it", async () => {
    const { session, store, events, ended, analyses, send } = await openTestSession({
      analyzeOnEnd: true,
      caseQuestion: "Why?",
    });
    await send(500);
    await session.complete();
    await ended;
    expect(analyses).toMatchObject([
      { sessionId: "session-1", userId: "ann", roomName: "room-1", caseQuestion: "Why?" },
    ]);
    const [{ interviewId }] = analyses as [AnalysisRequest];
    expect(store.ends).toMatchObject([{ interviewId }]);
    expect(ofType(events, "summary")[0]?.summary.interviewId).toBe(interviewId);
  });

  test("needs no audio", async () => {
    const { session, events, ended } = await openTestSession();
    await session.complete();
    await ended;
    expect(ofType(events, "summary")[0]?.summary.figures).toMatchObject({ durationMs: 0, totalWords: 0 });
  });
});

describe("wrong audio", () => {
  test.each([
    ["a gap", 1601, 3200, "audio.first_sample 1601 leaves a gap of 1 samples; expected 1600"],
    ["an overlap", 1599, 3200, "audio.first_sample 1599 overlaps by 1 samples; expected 1600"],
    [
      "half a sample",
      1600,
      3201,
      "audio.data holds 3201 bytes; LINEAR16 with 1 channel(s) needs a multiple of 2",
    ],
    ["nothing", 1600, 0, "audio.data holds 0 bytes; LINEAR16 with 1 channel(s) needs a multiple of 2"],
  ])("%s is refused with what was expected", async (_, firstSample, bytes, message) => {
    const { session } = await openTestSession();
    await session.audio(0, new Uint8Array(3200));
    await expect(session.audio(firstSample, new Uint8Array(bytes))).rejects.toMatchObject({
      code: "invalid",
      message,
    });
  });
});

describe("an engine that fails", () => {
  test("is opened again and hears the audio since the last boundary: every word once, on the same clock", async () => {
    const engine = createMarkerEngine();
    const marks = Array.from({ length: 40 }, (_, index) => (index % 4 === 3 ? 0 : index + 1));
    const audio = markedAudio(marks);
    const { session, store, events, clock } = await openTestSession({ engine });
    const chunk = rate / 10;
    for (let at = 0; at < audio.length; at += chunk) {
      if (at % (chunk * 17) === 0) engine.failStreams();
      const sent = session.audio(at, bytesOf(audio.subarray(at, at + chunk)));
      await clock.advance(5_000);
      await sent;
    }
    const completed = session.complete();
    await clock.advance(5_000);
    await completed;
    expect(engine.opened).toBeGreaterThan(5);
    const words = store.committed.flatMap((segment) => segment.words);
    expect(words.map((word) => word.text)).toEqual(
      marks.filter((mark) => mark > 0).map((mark) => `w${mark}`),
    );
    expect(words.map((word) => word.startMs)).toEqual(
      marks.flatMap((mark, index) => (mark > 0 ? [index * 400] : [])),
    );
    expect(ofType(events, "warning").map((event) => event.code)).toContain("engine-restarted");
    const indexes = store.committed.map((segment) => segment.segmentIndex);
    expect(new Set(indexes).size).toBe(indexes.length);
  });

  test("between a final and the boundary after it is not given the final's audio again", async () => {
    const [, final] = utterance("hello world", 200, 900, 1000);
    const engine = createScriptedEngine({ script: [final!] });
    const { session, clock, send } = await openTestSession({ engine });
    await send(1500);
    engine.failStreams(new EngineError("unavailable", "killed"));
    await clock.advance(5_000);
    await send(1500);
    await session.complete();
    expect(engine.writtenSamples[1]).toBe(3 * rate - 0.9 * rate);
  });

  test("again and again ends the session as unavailable, and what was committed stays", async () => {
    const engine = createMarkerEngine();
    const { session, store, ended, clock } = await openTestSession({ engine });
    await session.audio(0, bytesOf(markedAudio([7, 8])));
    await settle();
    engine.refuseWith = new EngineError("unavailable", "gone");
    engine.failStreams();
    await clock.advance(60_000);
    await expect(ended).rejects.toMatchObject({ code: "engine-unavailable", retryable: true });
    await session.closed;
    expect(store.committed.map((segment) => segment.text)).toEqual(["w7 w8"]);
    expect(store.interruptions).toMatchObject([{ reason: "engine-failed" }]);
  });

  test("for good while the client has half-closed tells the client why", async () => {
    const engine = createMarkerEngine();
    const { session, ended, clock } = await openTestSession({ engine });
    await session.audio(0, bytesOf(markedAudio([7, 8])));
    engine.refuseWith = new EngineError("unavailable", "gone");
    engine.failStreams();
    const completed = session.complete();
    await clock.advance(60_000);
    await completed;
    await expect(ended).rejects.toMatchObject({ code: "engine-unavailable" });
  });

  test("at its limit refuses the session, and leaves nothing behind", async () => {
    const engine = createMarkerEngine();
    engine.refuseWith = new EngineError("capacity", "offline engine is at capacity (8 streams)");
    await expect(openTestSession({ engine })).rejects.toMatchObject({
      code: "capacity",
      message: "offline engine is at capacity (8 streams)",
    });
    expect(engine.openStreams).toBe(0);
  });
});

describe("a database that is away", () => {
  test("makes acknowledgements wait and warns; when it is back nothing is missing", async () => {
    const { session, store, events, clock, send } = await openTestSession({
      script: utterance("still here", 100, 700, 800),
    });
    store.failWith = new FakeStorageError("unavailable");
    await send(1000);
    await clock.advance(10_000);
    expect(ofType(events, "ack").filter((ack) => ack.throughSample > 0)).toEqual([]);
    expect(finalsOf(events)).toEqual([]);
    expect(ofType(events, "warning").map((event) => event.code)).toEqual(["storage-slow"]);

    store.failWith = undefined;
    await clock.advance(5_000);
    expect(finalsOf(events).map((event) => event.text)).toEqual(["still here"]);
    expect(ofType(events, "ack").at(-1)?.throughSample).toBe(rate * 0.7);
    await session.complete();
    expect(store.committed).toHaveLength(1);
  });

  test("makes the client wait before more than 30 s of audio are not acknowledged", async () => {
    const { store, clock, send } = await openTestSession({ engine: createMarkerEngine() });
    store.failWith = new FakeStorageError("unavailable");
    for (let second = 0; second < 21; second++) await send(1000);
    let isTaken = false;
    const over = send(1000).then(() => (isTaken = true));
    await clock.advance(1_000);
    expect(isTaken).toBe(false);
    store.failWith = undefined;
    await clock.advance(5_000);
    await over;
    expect(isTaken).toBe(true);
  });

  test("is not waited for when the session is no longer this stream's", async () => {
    const { session, store, ended, clock, send } = await openTestSession({
      script: utterance("mine", 100, 700, 800),
    });
    store.failWith = new FakeStorageError("fenced");
    await send(1000);
    await clock.advance(1_000);
    await expect(ended).rejects.toMatchObject({ code: "superseded" });
    await session.closed;
  });
});

describe("a session that cannot be completed", () => {
  test("because its engine hangs ends soon after its client has left", async () => {
    const engine = createScriptedEngine({ script: [], beforeFinalize: () => new Promise(() => undefined) });
    const { session, store, clock, send } = await openTestSession({ engine });
    await send(1000);
    void session.complete();
    session.fail(new SessionError("client-gone", "the client is gone"));
    await clock.advance(60_000);
    await session.closed;
    expect(store.interruptions).toMatchObject([{ reason: "client-gone" }]);
    expect(engine.openStreams).toBe(0);
    expect(clock.pending()).toBe(0);
  });

  test("because the database is away waits for it as long as its client does", async () => {
    const { session, store, ended, clock, send } = await openTestSession({ analyzeOnEnd: true });
    await send(1000);
    store.failWith = new FakeStorageError("unavailable");
    const completed = session.complete();
    await clock.advance(120_000);
    expect(store.ends).toEqual([]);
    store.failWith = undefined;
    await clock.advance(5_000);
    await completed;
    await ended;
    expect(store.ends).toMatchObject([{ reason: "completed" }]);
  });

  test("because the database is away gives up when its client does", async () => {
    const { session, store, clock, send } = await openTestSession();
    await send(1000);
    store.failWith = new FakeStorageError("unavailable");
    void session.complete();
    session.fail(new SessionError("client-gone", "the client is gone"));
    await clock.advance(60_000);
    await session.closed;
    expect(clock.pending()).toBe(0);
  });

  test("because nobody reads the end of it is not called complete", async () => {
    const text = "word ".repeat(60_000).trim();
    const words = [{ text, startSample: 0, endSample: rate }];
    const final = { type: "final", startSample: 0, endSample: rate, text, words, voiced: words } as const;
    const [first, second] = [0, rate].map((shift) => ({
      atSample: 99 * rate,
      event: { ...final, startSample: shift, endSample: shift + rate },
    }));
    const { session, store, send } = await openTestSession({ script: [first!, second!], unread: true });
    await send(2000);
    await session.complete();
    expect(store.committed).toHaveLength(2);
    expect(store.interruptions).toMatchObject([{ reason: "stalled" }]);
    const seen: string[] = [];
    const read = (async () => {
      for await (const event of session.events) seen.push(event.type);
    })();
    await expect(read).rejects.toMatchObject({ code: "reader-stalled" });
    expect(seen).not.toContain("summary");
    expect(seen.filter((type) => type === "ack")).toEqual([]);
  });
});

describe("a session that breaks off", () => {
  test.each([
    ["for what its client did wrong", "invalid", "ends", "client-error"],
    ["since the server stops", "stopping", "interruptions", "server-stopped"],
  ] as const)(
    "%s turns what was said into finals and commits them before it ends",
    async (_why, code, where, reason) => {
      const engine = createMarkerEngine();
      const { session, store, ended } = await openTestSession({ engine });
      await session.audio(0, bytesOf(cutInThirdMark));
      session.fail(new SessionError(code, "that"));
      await session.closed;
      await expect(ended).rejects.toMatchObject({ code });
      expect(store.committed.flatMap((segment) => segment.words).map((word) => word.text)).toEqual([
        "w1",
        "w2",
        "w3",
      ]);
      expect(store[where]).toMatchObject([{ reason, durationMs: 1000 }]);
      expect(session.lastWords).toBeUndefined();
      expect(engine.openStreams).toBe(0);
    },
  );

  test("keeps what was said for a client that does not come back, and commits no half of a word", async () => {
    const engine = createMarkerEngine();
    const { session, store, ended } = await openTestSession({ engine });
    await session.audio(0, bytesOf(cutInThirdMark));
    session.fail(new SessionError("client-gone", "the client is gone"));
    await session.closed;
    await expect(ended).rejects.toMatchObject({ code: "client-gone" });
    expect(store.committed).toEqual([]);
    expect(store.interruptions).toMatchObject([{ reason: "client-gone", durationMs: 1000 }]);
    expect(session.lastWords).toMatchObject({
      reason: "client-gone",
      durationMs: 1000,
      commit: { segments: [{ text: "w1 w2 w3" }], committedThrough: rate },
    });
    expect(engine.openStreams).toBe(0);
  });

  test.each([
    ["the database is away", new FakeStorageError("unavailable"), false],
    ["the database is away, though its client half-closed", new FakeStorageError("unavailable"), true],
    ["the database refuses", new FakeStorageError("internal"), false],
  ])("while %s keeps also the finals that were not committed", async (_, failure, halfCloses) => {
    const { session, store, clock } = await openTestSession({ engine: createMarkerEngine() });
    store.failWith = failure;
    await session.audio(0, bytesOf(markedAudio([1, 2, 3, 0, 0, 4]).subarray(0, rate * 2.2)));
    await settle();
    if (halfCloses) void session.complete();
    session.fail(new SessionError("client-gone", "the client is gone"));
    await clock.advance(120_000);
    await session.closed;
    expect(store.committed).toEqual([]);
    const { commit } = session.lastWords!;
    expect(commit.segments.map((segment) => [segment.finalNumber, segment.text])).toEqual([
      [1, "w1 w2 w3"],
      [2, "w4"],
    ]);
    expect(commit.committedThrough).toBe(rate * 2.2);
  });

  test("because it was taken over while it was being completed says so, though nobody told it", async () => {
    const { session, store, ended } = await openTestSession({ engine: createMarkerEngine() });
    store.end = () => Promise.reject(new FakeStorageError("fenced"));
    await session.complete();
    await expect(ended).rejects.toMatchObject({ code: "superseded" });
  });

  test("because its token was revoked hears no more, though it is being completed", async () => {
    const engine = createScriptedEngine({ script: [], beforeFinalize: () => new Promise(() => undefined) });
    const { session, ended, clock } = await openTestSession({ engine });
    void session.complete();
    session.fail(new SessionError("token-expired", "the token was revoked"));
    await expect(ended).rejects.toMatchObject({ code: "token-expired" });
    await clock.advance(60_000);
    await session.closed;
  });

  test("because another stream continues it leaves nothing to be said", async () => {
    const engine = createMarkerEngine();
    const { session, store, ended, clock } = await openTestSession({ engine });
    await session.audio(0, bytesOf(cutInThirdMark));
    session.fail(new SessionError("client-gone", "the client is gone"));
    session.fail(new SessionError("superseded", "another stream continues the session"));
    await session.closed;
    await ended.catch(() => undefined);
    expect(session.lastWords).toBeUndefined();
    expect(store.committed).toEqual([]);
    expect(engine.openStreams).toBe(0);
    await settle();
    expect(clock.pending()).toBe(0);
  });

  test("because its client leaves right after half-closing is not called complete, and is not analysed", async () => {
    const { session, store, analyses } = await openTestSession({
      engine: createMarkerEngine(),
      analyzeOnEnd: true,
    });
    await session.audio(0, bytesOf(markedAudio([4])));
    const completed = session.complete();
    session.fail(new SessionError("client-gone", "the client is gone"));
    await completed;
    expect(store.committed.map((segment) => segment.text)).toEqual(["w4"]);
    expect(store.interruptions).toMatchObject([{ reason: "client-gone" }]);
    expect(analyses).toEqual([]);
  });

  test("keeps no timer and no engine stream", async () => {
    const engine = createMarkerEngine();
    const { session, clock, send } = await openTestSession({ engine });
    await send(1000);
    session.fail(new SessionError("idle", "no message"));
    await session.closed;
    await settle();
    expect(clock.pending()).toBe(0);
    expect(engine.openStreams).toBe(0);
  });

  test("because nobody reads its events does so before they take more than 256 KiB", async () => {
    const words = Array.from({ length: 400 }, (_, index) => ({
      text: "word".repeat(8),
      startSample: index,
      endSample: index + 1,
    }));
    const text = words.map((word) => word.text).join(" ");
    const script = Array.from({ length: 40 }, (_, index) => ({
      atSample: (index + 1) * 1600,
      event: { type: "interim", startSample: 0, text, words } as const,
    }));
    const { session, store, send } = await openTestSession({ script, unread: true });
    for (let chunk = 0; chunk < 40; chunk++) await send(100);
    await session.closed;
    expect(store.interruptions).toMatchObject([{ reason: "stalled" }]);
    let unread = 0;
    const read = (async () => {
      for await (const _ of session.events) unread += 1;
    })();
    await expect(read).rejects.toMatchObject({ code: "reader-stalled" });
    expect(unread).toBeLessThan(12);
  });
});

describe("the token", () => {
  test("is warned about a minute before it expires, and ends the stream when it has", async () => {
    const { session, store, events, ended, clock } = await openTestSession();
    await clock.advance(2 * 3600_000 - 60_001);
    expect(ofType(events, "warning")).toEqual([]);
    await clock.advance(1);
    expect(ofType(events, "warning").map((event) => event.code)).toEqual(["token-expiring"]);
    await clock.advance(60_000);
    await expect(ended).rejects.toMatchObject({ code: "token-expired" });
    await session.closed;
    expect(store.interruptions).toMatchObject([{ reason: "token-expired" }]);
  });

  test("that is renewed after the end keeps nothing alive", async () => {
    const { session, clock } = await openTestSession();
    await session.complete();
    session.reauthenticated({ tokenId: "token-2", expireTime: new Date(clock.now() + 3600_000) });
    expect(clock.pending()).toBe(0);
  });

  test("that is renewed in time lets the stream go on", async () => {
    const { session, clock, ended } = await openTestSession();
    await clock.advance(2 * 3600_000 - 1000);
    session.reauthenticated({ tokenId: "token-2", expireTime: new Date(clock.now() + 3600_000) });
    await clock.advance(1800_000);
    await session.complete();
    await expect(ended).resolves.toBeUndefined();
  });
});

describe("finalize", () => {
  test("commits and acknowledges all audio so far, and the session goes on", async () => {
    const engine = createMarkerEngine();
    const { session, store, events } = await openTestSession({ engine });
    const audio = markedAudio([1, 2]).subarray(0, rate * 0.6);
    await session.audio(0, bytesOf(audio));
    await session.finalize();
    await settle();
    expect(store.committed.map((segment) => segment.text)).toEqual(["w1 w2"]);
    expect(ofType(events, "ack").at(-1)?.throughSample).toBe(rate * 0.6);
    await session.audio(audio.length, bytesOf(markedAudio([3])));
    await session.complete();
    expect(store.committed.map((segment) => segment.text)).toEqual(["w1 w2", "w3"]);
  });

  test("is ignored within a second of audio after the time before, so that no word is cut to pieces", async () => {
    const { session, store } = await openTestSession({ engine: createMarkerEngine() });
    const audio = markedAudio([1, 2, 3]);
    const piece = rate / 20;
    for (let at = 0; at < rate; at += piece) {
      await session.audio(at, bytesOf(audio.subarray(at, at + piece)));
      await session.finalize();
    }
    expect(store.committed.length).toBeLessThanOrEqual(1);
    await session.complete();
  });
});
