/** Deepgram's words, in seconds, as the contract has them: whole samples, in order, not overlapping, inside their range. */
import type { EngineWord, SampleSpan } from "../speech-engine.ts";
import { sampleRateHz } from "./listen-options.ts";
import type { DeepgramWord } from "./wire.ts";

/** A shorter silence is no pause: delivery figures count from 300 ms. */
const pauseSamples = (sampleRateHz * 300) / 1000;

/** Deepgram counts in single precision, so that an hour in, a time is off by a few samples. */
export function toSample(seconds: number): number {
  return Math.round(seconds * sampleRateHz);
}

/** Those of the words that lie, for the greater part, behind `newFrom`: what is before was told already. */
export function readWords(
  words: readonly DeepgramWord[],
  range: SampleSpan & { readonly newFrom: number },
  diarize: boolean,
): readonly EngineWord[] {
  const usable = words
    .map((word) => ({ ...word, text: (word.punctuated_word ?? word.word).trim().replace(/\s+/g, " ") }))
    .filter(({ text, start, end }) => text !== "" && toSample((start + end) / 2) >= range.newFrom);
  let from = range.startSample;
  return usable.map(({ text, start, end, confidence, speaker }, index) => {
    // Each word that is still to come needs a sample.
    const lastStart = range.endSample - (usable.length - index);
    const startSample = Math.max(from, Math.min(toSample(start), lastStart));
    const endSample = Math.max(startSample + 1, Math.min(toSample(end), lastStart + 1));
    from = endSample;
    return {
      text,
      startSample,
      endSample,
      ...(confidence !== undefined && { confidence: Math.min(1, Math.max(0, confidence)) }),
      ...(diarize && speaker !== undefined && { speaker }),
    };
  });
}

/** Deepgram does not say where there is voice; words do, and what lies between two of them without a pause. */
export function voicedSpans(words: readonly EngineWord[]): readonly SampleSpan[] {
  const spans: { startSample: number; endSample: number }[] = [];
  for (const { startSample, endSample } of words) {
    const last = spans.at(-1);
    if (last && startSample - last.endSample < pauseSamples) last.endSample = endSample;
    else spans.push({ startSample, endSample });
  }
  return spans;
}
