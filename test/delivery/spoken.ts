/**
 * Writes words with times for tests. Only builds input; asserts nothing.
 */
import type { SpokenWord } from "../../src/delivery/measure-delivery.ts";

/**
 * Words of 200 ms with 50 ms between them, from 0. A number in braces is a silence instead of those 50 ms: "so {200} I".
 */
export function spoken(text: string): SpokenWord[] {
  const words: SpokenWord[] = [];
  let silenceMs = 0;
  let endMs = 0;
  for (const token of text.split(" ").filter((part) => part !== "")) {
    const silence = /^\{(\d+)\}$/.exec(token);
    if (silence !== null) {
      silenceMs = Number(silence[1]);
      continue;
    }
    const startMs = endMs + silenceMs;
    endMs = startMs + 200;
    words.push({ text: token, startMs, endMs });
    silenceMs = 50;
  }
  return words;
}
