/** The recordings that figures are measured on: the clips of test/audio, alone and joined, with their words. */
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { readReferenceWords } from "./word-error.ts";
import type { ReferenceWord } from "./word-error.ts";

export interface Recording {
  readonly name: string;
  readonly sampleRateHz: number;
  readonly samples: Int16Array<ArrayBuffer>;
  readonly words: readonly ReferenceWord[];
}

const rate = 16_000;
const wavHeaderBytes = 44;
const audioFolder = join(import.meta.dirname, "../audio");

export function readClips(): Recording[] {
  return readdirSync(audioFolder)
    .filter((file) => file.endsWith(".wav"))
    .sort()
    .map((file) => {
      const bytes = new Uint8Array(readFileSync(join(audioFolder, file))).slice(wavHeaderBytes);
      return {
        name: file.replace(/\.wav$/, ""),
        sampleRateHz: rate,
        samples: new Int16Array(bytes.buffer),
        words: readReferenceWords(join(audioFolder, file.replace(/wav$/, "words.tsv"))),
      };
    });
}

/** One after the other, with silence before, between and after them. */
export function joinClips(clips: readonly Recording[], gapMs: number): Recording {
  const gap = new Int16Array((rate * gapMs) / 1000);
  const parts = [gap];
  const words: ReferenceWord[] = [];
  let offsetMs = gapMs;
  for (const clip of clips) {
    parts.push(clip.samples, gap);
    for (const word of clip.words) {
      words.push({ ...word, startMs: word.startMs + offsetMs, endMs: word.endMs + offsetMs });
    }
    offsetMs += (clip.samples.length * 1000) / rate + gapMs;
  }
  const samples = new Int16Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    samples.set(part, at);
    at += part.length;
  }
  return { name: "joined", sampleRateHz: rate, samples, words };
}
