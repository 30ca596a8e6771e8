/** Plays audio into an engine and collects what comes out, for the engine tests and benches. */
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type {
  EngineError,
  EngineEvent,
  SpeechEngine,
} from "../../../src/transcription/engines/speech-engine.ts";

export type FinalEvent = Extract<EngineEvent, { type: "final" }>;

export interface TimedEvent {
  readonly event: EngineEvent;
  /** Since the first sample was written. */
  readonly atMs: number;
}

export interface DriveOptions {
  readonly chunkSamples?: number;
  /** Write at the pace of speech; otherwise as fast as the engine takes it. */
  readonly realTime?: boolean;
  readonly interimResults?: boolean;
  /** Before which samples to finalize, ascending, a multiple of `chunkSamples` each. Default none. */
  readonly finalizeAt?: readonly number[];
  /** After each `finalize`, with the events so far. */
  readonly onFinalized?: (events: readonly EngineEvent[], writtenSamples: number) => void;
  readonly onEvent?: (event: EngineEvent) => void;
}

/** Writes all samples, ends the stream and gives its events. Rejects with the stream's error. */
export async function driveEngine(
  engine: SpeechEngine,
  samples: Float32Array,
  options: DriveOptions = {},
): Promise<TimedEvent[]> {
  const chunkSamples = options.chunkSamples ?? 1600;
  const events: TimedEvent[] = [];
  let failure: EngineError | undefined;
  let startedAt = performance.now();
  const stream = await engine.open(
    {
      language: "en",
      interimResults: options.interimResults ?? false,
      onEvent: (event) => {
        events.push({ event, atMs: performance.now() - startedAt });
        options.onEvent?.(event);
      },
      onError: (error) => (failure = error),
    },
    new AbortController().signal,
  );
  startedAt = performance.now();
  for (let from = 0; from < samples.length; from += chunkSamples) {
    await stream.write(samples.slice(from, from + chunkSamples));
    if (options.finalizeAt?.includes(from + chunkSamples) === true) {
      await stream.finalize();
      options.onFinalized?.(
        events.map(({ event }) => event),
        from + chunkSamples,
      );
    }
    if (options.realTime !== true) continue;
    const dueMs = ((from + chunkSamples) * 1000) / engine.sampleRateHz;
    await sleep(Math.max(0, startedAt + dueMs - performance.now()));
  }
  await stream.end();
  if (failure !== undefined) throw failure;
  return events;
}

export function finalsOf(events: readonly TimedEvent[]): FinalEvent[] {
  return events.map(({ event }) => event).filter((event) => event.type === "final");
}

export function textOf(events: readonly TimedEvent[]): string {
  return finalsOf(events)
    .map((final) => final.text)
    .join(" ");
}

/** Mono 16-bit WAV at the engines' rate. */
export function readWav(path: string): Float32Array {
  const bytes = readFileSync(path);
  let at = 12;
  while (bytes.toString("latin1", at, at + 4) !== "data") at += 8 + bytes.readUInt32LE(at + 4);
  const count = Math.min(bytes.readUInt32LE(at + 4), bytes.length - at - 8) >> 1;
  return Float32Array.from({ length: count }, (_, index) => bytes.readInt16LE(at + 8 + index * 2) / 32768);
}

export function joined(parts: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
