/** A session around a scripted engine, a stumbling store and a clock that is moved by hand. */
import { EngineChoice } from "../../../src/transcription/engines/engine-choice.ts";
import { Session } from "../../../src/transcription/session/session.ts";
import { defaultSessionLimits } from "../../../src/transcription/session/session-options.ts";
import type { AnalysisRequest, SessionOptions } from "../../../src/transcription/session/session-options.ts";
import type { SessionEvent } from "../../../src/transcription/session/session-events.ts";
import type { EngineEvent, SpeechEngine } from "../../../src/transcription/engines/speech-engine.ts";
import { createManualClock } from "../../fakes/manual-clock.ts";
import type { ManualClock } from "../../fakes/manual-clock.ts";
import { createScriptedEngine } from "../../fakes/scripted-engine.ts";
import type { ScriptedEvent } from "../../fakes/scripted-engine.ts";
import { createMemorySessionStore } from "./memory-session-store.ts";
import type { MemorySessionStore } from "./memory-session-store.ts";

export const rate = 16_000;

export interface TestSession {
  readonly session: Session;
  readonly store: MemorySessionStore;
  readonly clock: ManualClock;
  /** What the client has read so far. */
  readonly events: readonly SessionEvent[];
  /** Rejects with what ended the stream, resolves at its end. */
  readonly ended: Promise<void>;
  readonly analyses: readonly AnalysisRequest[];
  readonly problems: readonly string[];
  /** Sends so many milliseconds of silence. */
  readonly send: (ms: number) => Promise<void>;
}

export interface TestSessionOptions extends Partial<SessionOptions> {
  readonly engine?: SpeechEngine;
  /** Taken when `engine` fails. */
  readonly secondEngine?: SpeechEngine;
  /** In place of both. */
  readonly engines?: EngineChoice;
  readonly script?: readonly ScriptedEvent[];
  /** Nobody reads the events. */
  readonly unread?: boolean;
}

export async function openTestSession(options: TestSessionOptions = {}): Promise<TestSession> {
  const { engine, secondEngine, engines, script, unread, ...given } = options;
  const clock = createManualClock();
  const store = createMemorySessionStore(clock.now);
  const analyses: AnalysisRequest[] = [];
  const problems: string[] = [];
  const session = await Session.open(
    {
      sessionId: "session-1",
      userId: "ann",
      roomName: "room-1",
      participantIdentity: "ann",
      resumeToken: "resume-token",
      token: { tokenId: "token-1", expireTime: new Date(clock.now() + 2 * 3600_000) },
      format: { encoding: "linear16", sampleRateHz: rate, channelCount: 1 },
      languageCode: "en",
      interimResults: true,
      analyzeOnEnd: false,
      keyterms: [],
      diarize: false,
      ...given,
    },
    {
      store,
      clock,
      engines:
        engines ??
        new EngineChoice(
          [
            engine ?? createScriptedEngine({ script: script ?? [] }),
            ...(secondEngine === undefined ? [] : [secondEngine]),
          ],
          clock,
        ),
      limits: defaultSessionLimits,
      queueAnalysis: (request) => {
        analyses.push(request);
        return Promise.resolve();
      },
      onProblem: (_sessionId, message) => problems.push(message),
    },
  );
  const events: SessionEvent[] = [];
  const ended = unread
    ? session.closed
    : (async () => {
        for await (const event of session.events) events.push(event);
      })();
  ended.catch(() => undefined);
  const { sampleRateHz, channelCount } = given.format ?? { sampleRateHz: rate, channelCount: 1 };
  let sent = 0;
  return {
    session,
    store,
    clock,
    events,
    ended,
    analyses,
    problems,
    async send(ms) {
      const frames = (sampleRateHz * ms) / 1000;
      const first = sent;
      sent += frames;
      await session.audio(first, new Uint8Array(frames * 2 * channelCount));
    },
  };
}

/** A segment as an engine delivers it: an interim half-way, then the final and the boundary after it. */
export function utterance(text: string, startMs: number, endMs: number, dueMs: number): ScriptedEvent[] {
  const at = (ms: number) => (rate * ms) / 1000;
  const texts = text.split(" ");
  const step = (endMs - startMs) / texts.length;
  const words = texts.map((word, index) => ({
    text: word,
    startSample: at(startMs + index * step),
    endSample: at(startMs + (index + 1) * step),
  }));
  const span = { startSample: at(startMs), endSample: at(endMs) };
  const final: EngineEvent = { type: "final", ...span, text, words, voiced: [span] };
  return [
    {
      atSample: at((startMs + endMs) / 2),
      event: { type: "interim", startSample: at(startMs), text: texts[0] ?? "", words: words.slice(0, 1) },
    },
    { atSample: at(dueMs), event: final },
    { atSample: at(dueMs), event: { type: "boundary", throughSample: at(endMs) } },
  ];
}
