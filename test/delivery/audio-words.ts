/**
 * The true words of the recordings in test/audio, with their times. Only reads; asserts nothing.
 */
import { readFileSync } from "node:fs";
import type { SpokenWord } from "../../src/delivery/measure-delivery.ts";

export const RECORDINGS = ["austen-0870", "austen-0880", "austen-0890", "austen-0920", "austen-0930"];

export function audioWords(recording: string): SpokenWord[] {
  const table = readFileSync(new URL(`../audio/${recording}.words.tsv`, import.meta.url), "utf8");
  return table
    .trim()
    .split("\n")
    .map((line) => {
      const [text = "", startMs, endMs] = line.split("\t");
      return { text, startMs: Number(startMs), endMs: Number(endMs) };
    });
}
