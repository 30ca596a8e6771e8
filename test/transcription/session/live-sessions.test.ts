import { describe, expect, test } from "vitest";
import { EngineError } from "../../../src/transcription/engines/speech-engine.ts";
import type { SpeechEngine } from "../../../src/transcription/engines/speech-engine.ts";
import { EngineChoice } from "../../../src/transcription/engines/engine-choice.ts";
import { defaultSessionLimits } from "../../../src/transcription/session/session-options.ts";
import { LiveSessions } from "../../../src/transcription/session/live-sessions.ts";
import type { SessionEvent } from "../../../src/transcription/session/session-events.ts";
import { createManualClock, settle } from "../../fakes/manual-clock.ts";
import { createMarkerEngine } from "../../fakes/marker-engine.ts";
import { createMemorySessionStore, FakeStorageError } from "./memory-session-store.ts";

function makeSessions(engine: SpeechEngine = createMarkerEngine()) {
  const clock = createManualClock();
  const store = createMemorySessionStore(clock.now);
  const abandoned: number[] = [];
  const touched: (readonly string[])[] = [];
  store.touch = async (sessionIds) => {
    if (store.failWith) throw store.failWith;
    touched.push(sessionIds);
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
    queueAnalysis: () => Promise.resolve(),
    onProblem: () => undefined,
  });
  const open = () =>
    sessions.open({
      userId: "ann",
      roomName: "room",
      participantIdentity: "ann",
      token: { tokenId: "token-1", expireTime: new Date(clock.now() + 7_200_000) },
      format: { encoding: "linear16", sampleRateHz: 16_000, channelCount: 1 },
      languageCode: "en",
      interimResults: true,
      analyzeOnEnd: false,
      keyterms: [],
      diarize: false,
    });
  return { sessions, store, clock, open, abandoned, touched };
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
    expect(touched.at(-1)).toEqual([session.sessionId]);

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

test("a session that cannot be opened is not kept", async () => {
  const engine = createMarkerEngine();
  engine.refuseWith = new EngineError("capacity", "full");
  const { sessions, open } = makeSessions(engine);
  await expect(open()).rejects.toMatchObject({ code: "capacity" });
  expect(sessions.count).toBe(0);
});
