/** A session whose engine fails for good: another takes over, or audio that no engine survives is passed over. */
import { describe, expect, test } from "vitest";
import { EngineChoice } from "../../../src/transcription/engines/engine-choice.ts";
import { EngineError } from "../../../src/transcription/engines/speech-engine.ts";
import type { EngineStream, SpeechEngine } from "../../../src/transcription/engines/speech-engine.ts";
import { SessionError } from "../../../src/transcription/session-error.ts";
import type { SessionEvent } from "../../../src/transcription/session/session-events.ts";
import { createManualClock, settle } from "../../fakes/manual-clock.ts";
import { createMarkerEngine, markedAudio } from "../../fakes/marker-engine.ts";
import type { MarkerEngine } from "../../fakes/marker-engine.ts";
import { openTestSession, rate } from "./open-test-session.ts";
import type { TestSession } from "./open-test-session.ts";

const ofType = <T extends SessionEvent["type"]>(events: readonly SessionEvent[], type: T) =>
  events.filter((event): event is Extract<SessionEvent, { type: T }> => event.type === type);
const named = (name: string, capabilities: Partial<SpeechEngine["capabilities"]> = {}): MarkerEngine => {
  const engine = createMarkerEngine();
  return Object.assign(engine, { name, capabilities: { ...engine.capabilities, ...capabilities } });
};
const gone = new EngineError("unavailable", "gone");

/** Sends all of it in pieces of 100 ms, with time passing between them. */
async function send({ session, clock }: TestSession, audio: Int16Array): Promise<void> {
  for (let at = 0; at < audio.length; at += rate / 10) {
    const piece = audio.subarray(at, at + rate / 10);
    const sent = session.audio(at, new Uint8Array(piece.buffer, piece.byteOffset, piece.byteLength));
    await clock.advance(100);
    await sent;
  }
}

async function complete({ session, clock }: TestSession): Promise<void> {
  const completed = session.complete();
  await clock.advance(30_000);
  await completed;
}

const marks = Array.from({ length: 24 }, (_, index) => (index % 4 === 3 ? 0 : index + 1));
const words = marks.filter((mark) => mark > 0).map((mark) => `w${mark}`);
const wordsOf = (test: TestSession) => test.store.committed.flatMap((segment) => segment.words);

describe("when there is another engine", () => {
  test("it takes over in the same session, on the same clock, and every word is there once", async () => {
    const first = named("first");
    const second = named("second", { wordTimes: "estimated", fillers: "may-drop" });
    const test = await openTestSession({ engine: first, secondEngine: second });
    const audio = markedAudio(marks);
    await send(test, audio.subarray(0, rate * 4));
    first.refuseWith = gone;
    first.failStreams();
    for (let at = rate * 4; at < audio.length; at += rate / 10) {
      const piece = audio.subarray(at, at + rate / 10);
      const sent = test.session.audio(at, new Uint8Array(piece.buffer, piece.byteOffset, piece.byteLength));
      await test.clock.advance(100);
      await sent;
    }
    await complete(test);
    expect(wordsOf(test).map((word) => word.text)).toEqual(words);
    expect(wordsOf(test).map((word) => word.startMs)).toEqual(
      marks.flatMap((mark, index) => (mark > 0 ? [index * 400] : [])),
    );
    const changes = ofType(test.events, "warning").filter(({ code }) => code === "engine-changed");
    expect(changes).toHaveLength(1);
    expect(changes[0]?.message).toContain('"second"');
    expect(ofType(test.events, "started")[0]).toMatchObject({ engine: "first", wordTimes: "measured" });
    const times = new Set(test.store.committed.map((segment) => segment.wordTimes));
    expect([...times]).toEqual(["measured", "estimated"]);
    expect(ofType(test.events, "summary")[0]?.summary).toMatchObject({
      engine: "first+second",
      wordTimes: "estimated",
      figures: { fillers: { detectable: false } },
    });
    expect(second.opened).toBe(1);
  });

  test("one that is refused for good is not tried again", async () => {
    const first = named("first");
    const second = named("second");
    const test = await openTestSession({ engine: first, secondEngine: second });
    first.failStreams(new EngineError("unavailable", "the key is not good", { retryable: false }));
    await settle();
    expect(second.openStreams).toBe(1);
    await complete(test);
  });

  test("a new session that the first one refuses begins with the second, which it says", async () => {
    const first = named("first");
    first.refuseWith = gone;
    const second = named("second");
    const test = await openTestSession({ engine: first, secondEngine: second });
    await settle();
    expect(ofType(test.events, "started")[0]?.engine).toBe("second");
    expect(ofType(test.events, "warning")).toEqual([]);
    await complete(test);
    expect(test.store.created[0]?.engine).toBe("second");
  });

  test("and that one fails too, the session can be continued later", async () => {
    const [first, second] = [named("first"), named("second")];
    const test = await openTestSession({ engine: first, secondEngine: second });
    for (const engine of [first, second]) engine.refuseWith = gone;
    first.failStreams();
    await test.clock.advance(60_000);
    await expect(test.ended).rejects.toMatchObject({ code: "engine-unavailable" });
  });
});

describe("the choice of an engine", () => {
  test("is not changed for others by a client that asks for what the first one refuses", async () => {
    const first = named("first");
    first.refuseWith = new EngineError("unsupported", "no such key term");
    const [second, clock] = [named("second"), createManualClock()];
    const engines = new EngineChoice([first, second], clock);
    const test = await openTestSession({ engines });
    expect(second.openStreams).toBe(1);
    expect(engines.first("en")).toBe(first);
    await complete(test);
  });

  test("passes over one that failed, until it has had time", async () => {
    const clock = createManualClock();
    const [first, second] = [named("first"), named("second")];
    const choice = new EngineChoice([first, second], clock);
    expect(choice.first("en")).toBe(first);
    choice.failed(first);
    expect(choice.first("en")).toBe(second);
    await clock.advance(30_000);
    expect(choice.first("en")).toBe(first);
  });

  test("passes over one that is not ready, unless there is no other", () => {
    const clock = createManualClock();
    const down = Object.assign(named("down"), { health: () => ({ ready: false, detail: "no key" }) });
    const up = named("up");
    expect(new EngineChoice([down, up], clock).first("en")).toBe(up);
    expect(new EngineChoice([down], clock).first("en")).toBe(down);
  });

  test.each([
    ["de", "many"],
    ["de-CH", "many"],
    ["en", "english"],
    ["en-GB", "english"],
    ["ja", "english"],
  ])("for %s is an engine that understands it, or else the first", (languageCode, name) => {
    const english = named("english", { languages: ["en"] });
    const many = named("many", { languages: ["de", "fr-CA"] });
    expect(new EngineChoice([english, many], createManualClock()).first(languageCode).name).toBe(name);
  });
});

/** An engine that dies of a certain mark. */
function dyingOf(mark: number): MarkerEngine {
  const engine = createMarkerEngine();
  const open = engine.open.bind(engine);
  engine.open = async (options, signal): Promise<EngineStream> => {
    const stream = await open(options, signal);
    return {
      write(samples) {
        if (samples.some((sample) => Math.round(sample * 1000) === mark))
          return Promise.reject(new EngineError("unavailable", "the process died"));
        return stream.write(samples);
      },
      finalize: () => stream.finalize(),
      end: () => stream.end(),
    };
  };
  return engine;
}

describe("audio that no engine survives", () => {
  test("is passed over as a gap, and what comes after it is heard", async () => {
    const test = await openTestSession({ engine: dyingOf(5) });
    const audio = markedAudio([1, 2, 0, 0, 5, 0, 0, 0, 0, 0, 6, 7]);
    const sending = test.session.audio(0, new Uint8Array(audio.buffer));
    await test.clock.advance(120_000);
    await sending;
    await complete(test);
    const [gap] = ofType(test.events, "gap");
    expect(gap?.reason).toBe("engine-failed");
    expect(gap?.firstSample).toBeLessThanOrEqual(rate * 1.6);
    expect(gap?.endSample).toBeGreaterThanOrEqual(rate * 1.6);
    expect(wordsOf(test).map((word) => word.text)).toEqual(["w1", "w2", "w6", "w7"]);
    expect(ofType(test.events, "ack").at(-1)?.throughSample).toBe(audio.length);
    expect(ofType(test.events, "summary")[0]?.summary.gaps).toHaveLength(1);
  });

  test("after its client has left is a gap among the last words", async () => {
    const test = await openTestSession({ engine: dyingOf(5) });
    const audio = markedAudio([5, 0, 0, 0, 0, 0, 6, 7]);
    void test.session.audio(0, new Uint8Array(audio.buffer));
    test.session.fail(new SessionError("client-gone", "the client is gone"));
    await test.clock.advance(120_000);
    await test.session.closed;
    const { commit } = test.session.lastWords!;
    expect(commit.gaps).toMatchObject([{ firstSample: 0, reason: "engine-failed" }]);
    expect(commit.segments.map((segment) => segment.text)).toEqual(["w6 w7"]);
    expect(commit.committedThrough).toBe(audio.length);
  });

  test("is not what is meant when streams fail here and there: the client still has what they lost", async () => {
    const engine = createMarkerEngine();
    const test = await openTestSession({ engine });
    const mumble = new Int16Array(rate * 40).fill(3277); // no boundary in it
    let at = 0;
    const say = async (seconds: number) => {
      const piece = mumble.subarray(at, at + rate * seconds);
      at += piece.length;
      await test.session.audio(
        at - piece.length,
        new Uint8Array(piece.buffer, piece.byteOffset, piece.byteLength),
      );
    };
    await say(1);
    const died = async () => {
      for (let death = 0; death < 10; death++) {
        engine.failStreams();
        await test.clock.advance(6_000);
        await say(1).catch(() => undefined);
      }
    };
    await died();
    await expect(test.ended).rejects.toMatchObject({ code: "engine-unavailable", retryable: true });
    expect(ofType(test.events, "gap")).toEqual([]);
  });

  test("is not what is meant when no stream can be opened: then nothing is passed over", async () => {
    const engine = createMarkerEngine();
    const test = await openTestSession({ engine });
    await send(test, markedAudio([1, 2]).subarray(0, rate / 2));
    engine.refuseWith = gone;
    engine.failStreams();
    await test.clock.advance(60_000);
    await expect(test.ended).rejects.toMatchObject({ code: "engine-unavailable" });
    expect(ofType(test.events, "gap")).toEqual([]);
  });
});

describe("somebody who speaks without a pause", () => {
  /** Marks that follow on one another: no silence of 200 ms, by which the engine would end a segment. */
  const unbroken = (seconds: number, pauseAtMs: number) => {
    const audio = new Int16Array(rate * seconds);
    for (let at = 0, mark = 1; at < audio.length; at += rate * 0.3, mark = (mark % 800) + 1)
      audio.fill(Math.round(((100 + mark) / 1000) * 32_768), at, at + rate * 0.3);
    const pause = (rate * pauseAtMs) / 1000;
    if (pauseAtMs > 0) audio.fill(0, pause, pause + rate * 0.18);
    return audio;
  };

  test("is cut in the next short pause, so that what is not acknowledged stays below 30 s", async () => {
    const test = await openTestSession({ engine: createMarkerEngine() });
    await send(test, unbroken(20, 15_000));
    await test.clock.advance(1000);
    const [segment] = test.store.committed;
    expect([segment?.endMs, ...test.store.committed.slice(1)]).toEqual([15_000]);
    await complete(test);
  });

  test("is cut at the limit when there is none", async () => {
    const test = await openTestSession({ engine: createMarkerEngine() });
    await send(test, unbroken(60, 0));
    await test.clock.advance(1000);
    let through = 0;
    for (const { throughSample } of ofType(test.events, "ack")) {
      expect(throughSample - through).toBeLessThanOrEqual(rate * 20);
      through = throughSample;
    }
    expect(through).toBeGreaterThanOrEqual(rate * 40);
    await complete(test);
  });

  test("is left to an engine that cuts by itself", async () => {
    const engine = named("bounded", { longestSegmentMs: 60_000 });
    const test = await openTestSession({ engine });
    await send(test, unbroken(21, 15_000));
    await test.clock.advance(1000);
    expect(test.store.committed).toEqual([]);
    await complete(test);
  });
});
