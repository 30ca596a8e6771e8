/** What the events of one engine stream must satisfy, whatever the engine. Each check throws an AssertionError. */
import assert from "node:assert/strict";
import type { EngineEvent, EngineWord } from "../../../src/transcription/engines/speech-engine.ts";

/** `writtenSamples`: how much audio the stream was given before the last of the events. */
export function checkEvents(events: readonly EngineEvent[], writtenSamples: number): void {
  let boundary = -1;
  let lastFinalEnd = 0;
  let speaking = false;
  for (const event of events) {
    switch (event.type) {
      case "boundary":
        assert.ok(event.throughSample > boundary, "boundaries ascend");
        assert.ok(event.throughSample <= writtenSamples, "a boundary lies within the audio");
        boundary = event.throughSample;
        break;
      case "final":
        assert.ok(event.startSample >= boundary, "no final begins before a boundary that was already told");
        assert.ok(event.startSample >= lastFinalEnd, "finals are in order and do not overlap");
        assert.ok(event.endSample > event.startSample, "a final has a length");
        assert.ok(event.endSample <= writtenSamples, "a final lies within the audio");
        assert.notEqual(event.text.trim(), "", "a final has text");
        assert.ok(event.words.length > 0, "a final has words");
        assert.equal(joinedWords(event.words), squeezed(event.text), "the words are the text");
        checkSpans(event.words, event.startSample, event.endSample, "words");
        checkSpans(event.voiced, event.startSample, event.endSample, "voiced spans");
        checkConfidence(event.words);
        lastFinalEnd = event.endSample;
        break;
      case "interim":
        assert.ok(event.startSample >= lastFinalEnd, "an interim is about what is not final yet");
        checkSpans(event.words, event.startSample, writtenSamples, "interim words");
        break;
      case "speech":
        assert.equal(event.state, speaking ? "ended" : "started", "speech starts and ends in turn");
        speaking = !speaking;
        break;
    }
  }
}

/** After `end`: everything that was written is accounted for. */
export function checkComplete(events: readonly EngineEvent[], writtenSamples: number): void {
  const boundary = events.findLast((event) => event.type === "boundary");
  assert.equal(boundary?.throughSample, writtenSamples, "at the end the boundary is the end of the audio");
  const lastFinal = events.findLastIndex((event) => event.type === "final");
  const lastBoundary = events.findLastIndex((event) => event.type === "boundary");
  assert.ok(lastBoundary > lastFinal, "the last boundary follows the last final");
}

/** After `finalize`: everything is accounted for, but for less than the last second where somebody speaks. */
export function checkFinalized(
  events: readonly EngineEvent[],
  writtenSamples: number,
  sampleRateHz: number,
): void {
  const boundary = events.findLast((event) => event.type === "boundary")?.throughSample ?? 0;
  assert.ok(boundary <= writtenSamples, "the boundary lies within the audio");
  assert.ok(writtenSamples - boundary < sampleRateHz, "finalize keeps back less than a second");
  const lastFinal = events.findLast((event) => event.type === "final");
  assert.ok((lastFinal?.endSample ?? 0) <= boundary, "the boundary has reached every final");
}

function checkSpans(
  spans: readonly { readonly startSample: number; readonly endSample: number }[],
  from: number,
  to: number,
  what: string,
): void {
  let end = from;
  for (const span of spans) {
    assert.ok(span.startSample >= end, `${what} ascend, do not overlap and lie inside`);
    assert.ok(span.endSample > span.startSample, `${what} have a length`);
    assert.ok(
      Number.isInteger(span.startSample) && Number.isInteger(span.endSample),
      `${what} lie on samples`,
    );
    end = span.endSample;
  }
  assert.ok(end <= to, `${what} lie inside`);
}

function checkConfidence(words: readonly EngineWord[]): void {
  for (const { confidence } of words) {
    if (confidence !== undefined) assert.ok(confidence >= 0 && confidence <= 1, "confidence is 0 to 1");
  }
}

function joinedWords(words: readonly EngineWord[]): string {
  return words.map((word) => word.text).join(" ");
}

function squeezed(text: string): string {
  return text.trim().replace(/\s+/g, " ");
}
