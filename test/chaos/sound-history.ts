/** A session as it should be, with one break in it, for tests to plant violations in. */
import type { Final, SessionHistory, Snapshot, SpokenWord, WireEvent } from "./history.ts";

export const rate = 16_000;
const finalMs = 3_000;
const finalCount = 12;
const stem = [
  "had",
  "he",
  "married",
  "a",
  "more",
  "amiable",
  "woman",
  "might",
  "even",
  "been",
  "made",
  "still",
];

/** Six words in each segment, each segment with words of its own. */
export const finals: readonly Final[] = Array.from({ length: finalCount }, (_, segmentIndex) => {
  const startMs = segmentIndex * finalMs + 200;
  const words = Array.from({ length: 6 }, (_unused, place) => ({
    text: `${stem[segmentIndex]!}${"abcdef"[place]!}`,
    startMs: startMs + place * 400,
    endMs: startMs + place * 400 + 300,
  }));
  return {
    segmentIndex,
    text: words.map((word) => word.text).join(" "),
    startMs,
    endMs: startMs + 2_300,
    words,
  };
});
export const reference: readonly SpokenWord[] = finals.flatMap((final) => final.words);
export const totalSamples = (finalCount * finalMs * rate) / 1000;
const chunk = rate / 10;

export interface Draft extends SessionHistory {
  wire: WireEvent[];
  seenByApp: Final[];
  snapshots: Snapshot[];
}

/** Broken after the sixth final, with 1.5 s sent again. Each call is a new copy. */
export function soundHistory(): Draft {
  const wire: WireEvent[] = [];
  let sequence = 0;
  const half = finalCount / 2;
  const speak = (stream: number, from: number, to: number, firstSample: number) => {
    wire.push({ kind: "opened", stream, atMs: 0, ...(stream > 0 && { finalsReceived: from }) });
    const hear = (event: object) =>
      void wire.push({ stream, sequence: (sequence += 1), atMs: 0, ...event } as WireEvent);
    hear({ kind: "started", sessionId: "s", epoch: stream + 1, nextSample: firstSample });
    let sent = firstSample;
    for (const final of finals.slice(from, to)) {
      const throughSample = ((final.segmentIndex + 1) * finalMs * rate) / 1000;
      for (; sent < throughSample; sent += chunk) {
        wire.push({ kind: "sent", stream, firstSample: sent, samples: chunk });
      }
      hear({ kind: "final", final });
      hear({ kind: "ack", throughSample });
    }
    return sent;
  };
  const sent = speak(0, 0, half, 0);
  for (let extra = 0; extra < 15; extra++) {
    wire.push({ kind: "sent", stream: 0, firstSample: sent + extra * chunk, samples: chunk });
  }
  wire.push({ kind: "closed", stream: 0, atMs: 0, error: "unavailable" });
  const afterEvents = wire.length;
  sequence += 5;
  speak(1, half, finalCount, sent);
  wire.push({ stream: 1, sequence: sequence + 1, atMs: 0, kind: "summary", finals: [...finals] });
  wire.push({ kind: "closed", stream: 1, atMs: 0 });
  return structuredClone({
    name: "speaker 0, session 0",
    sampleRateHz: rate,
    totalSamples,
    wire,
    seenByApp: [...finals],
    snapshots: [
      {
        afterEvents,
        committedThroughSample: sent,
        finals: finals.slice(0, half),
        isCompleted: false,
      },
      {
        afterEvents: wire.length,
        committedThroughSample: totalSamples,
        finals: [...finals],
        isCompleted: true,
      },
    ],
  });
}
