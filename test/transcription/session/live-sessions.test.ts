import { describe, expect, test } from "vitest";
import { EngineError } from "../../../src/transcription/engines/speech-engine.ts";
import type { SpeechEngine } from "../../../src/transcription/engines/speech-engine.ts";
import { EngineChoice } from "../../../src/transcription/engines/engine-choice.ts";
import type { ServedSession } from "../../../src/transcription/session-store.ts";
import type { AnalysisRequest } from "../../../src/transcription/session/session-options.ts";
import type { LastWords, Session } from "../../../src/transcription/session/session.ts";
import { defaultSessionLimits } from "../../../src/transcription/session/session-options.ts";
import { SessionError } from "../../../src/transcription/session-error.ts";
import { carryOver } from "../../../src/transcription/session/kept-last-words.ts";
import type { TokenSelector } from "../../../src/transcription/session/token-selector.ts";
import { LiveSessions } from "../../../src/transcription/session/live-sessions.ts";
import { hashResumeToken } from "../../../src/transcription/session/resume-token.ts";
import type { SessionEvent, StartedEvent } from "../../../src/transcription/session/session-events.ts";
import { createManualClock, settle } from "../../fakes/manual-clock.ts";
import { createMarkerEngine, markedAudio } from "../../fakes/marker-engine.ts";
import { createMemorySessionStore, FakeStorageError } from "./memory-session-store.ts";
import type { MemorySessionStore } from "./memory-session-store.ts";

function makeSessions(engine: SpeechEngine = createMarkerEngine()) {
  const clock = createManualClock();
  const store = createMemorySessionStore(clock.now);
  const abandoned: number[] = [];
  const analyses: AnalysisRequest[] = [];
  const touched: (readonly ServedSession[])[] = [];
  store.touch = async (served) => {
    if (store.failWith) throw store.failWith;
    touched.push(served);
  };
  store.interruptAbandoned = async (untouchedForMs) => {
    abandoned.push(untouchedForMs);
    return 0;
  };
  const sessions = new LiveSessions({
    store,
    engines: new EngineChoice([engine], clock),
    clock,
    limits: defaultSessionLimits,
    queueAnalysis: async (request) => void analyses.push(request),
    onProblem: () => undefined,
  });
  const open = (fields: { analyzeOnEnd?: boolean } = {}) =>
    sessions.open({
      ...speaker,
      token: { tokenId: "token-1", familyId: "family-1", expireTime: new Date(clock.now() + 7_200_000) },
      format: { encoding: "linear16", sampleRateHz: 16_000, channelCount: 1 },
      languageCode: "en",
      interimResults: true,
      analyzeOnEnd: false,
      keyterms: [],
      diarize: false,
      ...fields,
    });
  const resume = (started: StartedEvent, fields: { finalsReceived?: number } = {}) =>
    sessions.resume({
      sessionId: started.sessionId,
      resumeToken: started.resumeToken,
      speaker,
      token: { tokenId: "token-2", expireTime: new Date(clock.now() + 7_200_000) },
      format: {},
      ...fields,
    });
  return { sessions, store, clock, open, resume, abandoned, touched, analyses };
}

const speaker = { userId: "ann", roomName: "room", participantIdentity: "ann" };
const speech = markedAudio([1, 2, 3, 0, 0, 4]);
/** In the middle of the fourth mark; the first three are final. */
const inMidWord = 5.4 * 6400;

/** Reads a session's events, and says so much of the speech. */
async function speak(session: Session, samples: number) {
  const events: SessionEvent[] = [];
  const ended = (async () => {
    for await (const event of session.events) events.push(event);
  })();
  ended.catch(() => undefined);
  await session.audio(0, new Uint8Array(speech.buffer, 0, samples * 2));
  await settle();
  const started = events.find((event) => event.type === "started");
  if (!started) throw new Error("the session did not start");
  return { events, ended, started };
}

describe("sessions that nobody serves", () => {
  test("are called interrupted at the start where no other process can serve them, and only there", async () => {
    const alone = makeSessions();
    await alone.sessions.start({ takeAll: true });
    expect(alone.abandoned).toEqual([0]);
    const replica = makeSessions();
    await replica.sessions.start({ takeAll: false });
    expect(replica.abandoned).toEqual([]);
  });

  test("are called interrupted once the database has answered long enough for every replica to mark its own", async () => {
    const { sessions, store, clock, open, abandoned, touched } = makeSessions();
    await sessions.start({ takeAll: false });
    const session = await open();
    await clock.advance(100_000);
    expect(abandoned.length).toBe(0);
    await clock.advance(20_000);
    expect(abandoned.at(-1)).toBe(90_000);
    expect(touched.at(-1)).toEqual([{ sessionId: session.sessionId, epoch: 1 }]);

    store.failWith = new FakeStorageError("unavailable");
    await clock.advance(200_000);
    store.failWith = undefined;
    const before = abandoned.length;
    await clock.advance(100_000);
    expect(abandoned.length).toBe(before);
    await clock.advance(40_000);
    expect(abandoned.length).toBeGreaterThan(before);
  });
});

describe("a server that stops", () => {
  test("tells its sessions the deadline, and ends those that are left at it", async () => {
    const { sessions, store, clock, open } = makeSessions();
    const session = await open();
    const events: SessionEvent[] = [];
    const read = (async () => {
      for await (const event of session.events) events.push(event);
    })();
    read.catch(() => undefined);
    const stopped = sessions.stop(4_000);
    await clock.advance(3_999);
    expect(events).toContainEqual(expect.objectContaining({ type: "warning", code: "server-stopping" }));
    expect(store.interruptions).toEqual([]);
    await clock.advance(1);
    await expect(read).rejects.toMatchObject({ code: "stopping", retryable: true });
    await stopped;
    expect(store.interruptions).toMatchObject([{ reason: "server-stopped" }]);
    await expect(open()).rejects.toMatchObject({ code: "stopping" });
  });

  test("does not forget a session that is just being opened", async () => {
    const engine = createMarkerEngine();
    const gate = Promise.withResolvers<undefined>();
    const slow: SpeechEngine = {
      ...engine,
      open: async (options, signal) => {
        await gate.promise;
        return engine.open(options, signal);
      },
    };
    const { sessions, store, clock, open } = makeSessions(slow);
    const opening = open();
    await settle();
    const stopped = sessions.stop(4_000);
    gate.resolve(undefined);
    await opening;
    await clock.advance(8_000);
    await stopped;
    expect(store.interruptions).toMatchObject([{ reason: "server-stopped" }]);
    expect(engine.openStreams).toBe(0);
  });

  test("waits for nobody when there is nobody", async () => {
    const { sessions } = makeSessions();
    await sessions.stop(60_000);
  });
});

describe("last words of a stream that broke", () => {
  const gone = () => new SessionError("client-gone", "the client is gone");
  const textsOf = (store: MemorySessionStore) => store.committed.map((segment) => segment.text);

  test("are committed when nobody comes back within ten minutes, and then the session is over", async () => {
    const { store, clock, open } = makeSessions();
    const session = await open();
    await speak(session, inMidWord);
    session.fail(gone());
    await session.closed;
    await clock.advance(599_000);
    expect(textsOf(store)).toEqual(["w1 w2 w3"]);
    expect(store.ends).toEqual([]);
    await clock.advance(1000);
    expect(textsOf(store)).toEqual(["w1 w2 w3", "w4"]);
    expect(store.committedThrough()).toBe(inMidWord);
    expect(store.ends).toMatchObject([{ reason: "client-gone", durationMs: inMidWord / 16 }]);
  });

  test("are forgotten when the session goes on, here or elsewhere", async () => {
    for (const isElsewhere of [false, true]) {
      const { sessions, store, clock, open, resume } = makeSessions();
      const session = await open();
      const { started } = await speak(session, inMidWord);
      session.fail(gone());
      await session.closed;
      if (isElsewhere) sessions.supersede(session.sessionId, 2);
      else await resume(started);
      await clock.advance(700_000);
      expect(textsOf(store)).toEqual(["w1 w2 w3"]);
      expect(store.ends).toEqual([]);
    }
  });

  test("are still kept when the stream that continued broke before its client had said them again", async () => {
    const { store, clock, open, resume } = makeSessions();
    const session = await open();
    const { started } = await speak(session, inMidWord);
    session.fail(gone());
    await session.closed;
    for (let round = 0; round < 2; round++) {
      const next = await resume(started);
      if (!("fail" in next)) throw new Error("it was not continued");
      next.fail(gone());
      await next.closed;
    }
    await clock.advance(600_000);
    expect(textsOf(store)).toEqual(["w1 w2 w3", "w4"]);
    expect(store.committed.map((segment) => segment.finalNumber)).toEqual([1, 2]);
    expect(store.committedThrough()).toBe(inMidWord);
    expect(store.ends).toMatchObject([{ durationMs: inMidWord / 16 }]);
  });

  test("are still kept when the stream that was to continue could not be opened", async () => {
    const engine = createMarkerEngine();
    const { store, clock, open, resume } = makeSessions(engine);
    const session = await open();
    const { started } = await speak(session, inMidWord);
    session.fail(gone());
    await session.closed;
    engine.refuseWith = new EngineError("capacity", "full");
    await expect(resume(started)).rejects.toMatchObject({ code: "capacity" });
    await clock.advance(600_000);
    expect(textsOf(store)).toEqual(["w1 w2 w3", "w4"]);
  });

  test("of an earlier stream give way once a later one has heard anything, on whatever channel", () => {
    const span = { channel: 1, startSample: 16_000, endSample: 32_000, startMs: 1000, endMs: 2000 };
    const segment = { ...span, segmentIndex: 3, finalNumber: 4, text: "w4", words: [], voiced: [] };
    const earlier: LastWords = {
      epoch: 1,
      commit: { segments: [{ ...segment, wordTimes: "measured" }], committedThrough: 32_000 },
      durationMs: 2000,
      reason: "client-gone",
      nextSegmentIndex: 4,
      nextFinalNumber: 5,
    };
    const nothing = {
      ...earlier,
      epoch: 2,
      commit: { segments: [], committedThrough: 0 },
      nextFinalNumber: 4,
    };
    expect(carryOver(earlier, nothing)).toMatchObject({ epoch: 2, commit: { segments: [{ text: "w4" }] } });
    // The other channel holds the position back, but this one was heard again, and its final committed.
    const heard = { ...nothing, nextFinalNumber: 5 };
    expect(carryOver(earlier, heard)).toBe(heard);
  });

  test("are fenced when another replica continued the session and nobody heard of it", async () => {
    const { store, clock, open } = makeSessions();
    const session = await open();
    const { started } = await speak(session, inMidWord);
    session.fail(gone());
    await session.closed;
    await store.takeOver({
      ...speaker,
      sessionId: started.sessionId,
      resumeTokenHash: hashResumeToken(started.resumeToken),
      windowMs: 600_000,
      reservedNumbers: 1,
    });
    await clock.advance(700_000);
    expect(textsOf(store)).toEqual(["w1 w2 w3"]);
    expect(store.ends).toEqual([]);
  });

  test("are committed before the server stops, and the session can be continued behind them", async () => {
    const { sessions, store, open } = makeSessions();
    const session = await open();
    await speak(session, inMidWord);
    session.fail(gone());
    await session.closed;
    await sessions.stop(1000);
    expect(textsOf(store)).toEqual(["w1 w2 w3", "w4"]);
    expect(store.ends).toEqual([]);
  });
});

describe("a session that another stream continues", () => {
  test("and completes, after the older one had asked for the analysis, is analysed once", async () => {
    const { sessions, store, open, resume, analyses } = makeSessions();
    const session = await open({ analyzeOnEnd: true });
    const { started } = await speak(session, speech.length);
    const end = store.end.bind(store);
    store.end = () => new Promise<never>(() => undefined); // it dies before the end is written
    void session.complete();
    await settle();
    store.end = end;
    const next = await resume(started);
    if ("complete" in next) await next.complete();
    expect(sessions.count).toBe(0);
    expect(analyses.map(({ sessionId }) => sessionId)).toEqual([session.sessionId, session.sessionId]);
    expect(new Set(analyses.map(({ interviewId }) => interviewId)).size).toBe(1);
  });

  test("ends the older stream here at once, and frees its engine before the new one needs it", async () => {
    const engine = createMarkerEngine();
    const { open, resume } = makeSessions(engine);
    const session = await open();
    const { started, ended } = await speak(session, inMidWord);
    const opened = engine.open.bind(engine);
    let openWhenContinued = -1;
    engine.open = (options, signal) => {
      openWhenContinued = engine.openStreams;
      return opened(options, signal);
    };
    const next = await resume(started);
    await expect(ended).rejects.toMatchObject({ code: "superseded" });
    expect(openWhenContinued).toBe(0);
    expect(next).toMatchObject({ epoch: 2 });
  });

  test("ends it too when it is continued on another replica, but not for an older epoch", async () => {
    const { sessions, open } = makeSessions();
    const session = await open();
    const { ended } = await speak(session, inMidWord);
    sessions.supersede(session.sessionId, 1);
    await settle();
    expect(sessions.count).toBe(1);
    sessions.supersede(session.sessionId, 2);
    await expect(ended).rejects.toMatchObject({ code: "superseded" });
  });

  test("is not displaced by an older one that took long to open", async () => {
    const engine = createMarkerEngine();
    const { sessions, open, resume } = makeSessions(engine);
    const session = await open();
    const { started } = await speak(session, inMidWord);
    const opened = engine.open.bind(engine);
    const slow = Promise.withResolvers<undefined>();
    engine.open = async (options, signal) => {
      engine.open = opened;
      await slow.promise;
      return opened(options, signal);
    };
    const older = resume(started);
    await settle();
    const newer = await resume(started);
    slow.resolve(undefined);
    const overtaken = await older;
    expect([newer, overtaken]).toMatchObject([{ epoch: 3 }, { epoch: 2 }]);
    const read = (async () => {
      for await (const _ of overtaken.events) continue;
    })();
    await expect(read).rejects.toMatchObject({ code: "superseded" });
    expect(sessions.count).toBe(1);
    expect(sessions.revoke({ tokenId: "token-2" })).toBe(1);
  });

  test("is found out when the notice of it was missed", async () => {
    const { sessions, store, open } = makeSessions();
    const session = await open();
    const { started, ended } = await speak(session, inMidWord);
    await sessions.lookForTakeOvers();
    expect(sessions.count).toBe(1);
    await store.takeOver({
      ...speaker,
      sessionId: started.sessionId,
      resumeTokenHash: hashResumeToken(started.resumeToken),
      windowMs: 600_000,
      reservedNumbers: 1,
    });
    await sessions.lookForTakeOvers();
    await expect(ended).rejects.toMatchObject({ code: "superseded" });
  });

  test("that cannot be opened stays to be continued", async () => {
    const engine = createMarkerEngine();
    const { store, open, resume } = makeSessions(engine);
    const session = await open();
    const { started } = await speak(session, inMidWord);
    engine.refuseWith = new EngineError("capacity", "full");
    await expect(resume(started)).rejects.toMatchObject({ code: "capacity" });
    expect(store.interruptions.at(-1)).toMatchObject({ reason: "engine-failed" });
    engine.refuseWith = undefined;
    expect(await resume(started)).toMatchObject({ epoch: 3 });
  });
});

test.each([
  ["token", { tokenId: "token-1" }, { tokenId: "token-9" }],
  ["user", { userId: "ann" }, { userId: "bob" }],
  ["room", { roomName: "room" }, { roomName: "hall" }],
])("a revoked %s ends the streams that it opened, and no other", async (_, selector, other) => {
  const { sessions, store, open, resume } = makeSessions();
  const session = await open();
  const { ended, started } = await speak(session, inMidWord);
  expect(sessions.revoke(other)).toBe(0);
  expect(sessions.revoke(selector)).toBe(1);
  await expect(ended).rejects.toMatchObject({ code: "token-expired", message: "the token was revoked" });
  await session.closed;
  expect(store.interruptions).toMatchObject([{ reason: "token-expired" }]);
  expect(await resume(started)).toMatchObject({ epoch: 2 });
});

test("a session that cannot be opened is not kept", async () => {
  const engine = createMarkerEngine();
  engine.refuseWith = new EngineError("capacity", "full");
  const { sessions, open } = makeSessions(engine);
  await expect(open()).rejects.toMatchObject({ code: "capacity" });
  expect(sessions.count).toBe(0);
});

describe("a revocation ends the streams", () => {
  const { userId, roomName } = speaker;
  test.each<[string, TokenSelector, number]>([
    ["of the token", { tokenId: "token-1" }, 1],
    ["of the token, of this user", { tokenId: "token-1", userId }, 1],
    ["of its family", { tokenId: "family-1" }, 1],
    ["of the user", { userId }, 1],
    ["of the room", { roomName }, 1],
    ["of the user in the room", { roomName, userId }, 1],
    ["and not those of another token", { tokenId: "token-2" }, 0],
    ["and not those of another user's token of this id", { tokenId: "family-1", userId: "another" }, 0],
    ["and not those of another user", { userId: "another" }, 0],
    ["and not those of another room", { roomName: "another" }, 0],
    ["and not those of another user in the room", { roomName, userId: "another" }, 0],
    ["and not those of the user in another room", { roomName: "another", userId }, 0],
  ])("%s", async (_, selector, ended) => {
    const { sessions, open } = makeSessions();
    await open();
    expect(sessions.roomCount).toBe(1);
    expect(sessions.revoke(selector)).toBe(ended);
  });
});
