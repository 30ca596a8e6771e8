/**
 * Answers as people give them, for the tests of the rules, and a voice that speaks them. Only builds input.
 */
import { measureDelivery } from "../../../src/delivery/measure-delivery.ts";
import type { SpokenWord } from "../../../src/delivery/measure-delivery.ts";
import type { RulesInput } from "../../../src/analysis/rules/apply-rules.ts";

/** Situation, task, action, measured result; two fillers. */
export const STORY =
  "When I joined Northwind last year, our release process took two days and failed every other week. My task was to " +
  "make it boring. So I sat down with the three teams and, um, drew every step on a wall. I removed four manual " +
  "checks, wrote a pipeline that ran them for us, and rehearsed it with each team. People were, like, nervous at " +
  "first, so I also made sure we could roll back within a minute. As a result we now release every day, and failed " +
  "releases fell by eighty percent. I learned that a process nobody likes is usually one that nobody has looked at.";

export const STORY_QUESTION = "Tell me about a time when you improved a process that frustrated your team.";

/** No story, the same words again and again. */
export const LITANY =
  "I think I am a good fit for this job because I work hard. I work with people. I like people and I like work. I am " +
  "good with people. I am good at work and I work hard. I think I am a good team player. I like to work with a team " +
  "because I like people and I work hard.";

/** A description, not an answer of the STAR kind. */
export const ESSAY =
  "Today most children carry a small computer in their pocket. Earlier generations shared one machine between thirty " +
  "pupils, usually in a laboratory down the hall. Teachers reserved time for their classes, and learning to type was " +
  "considered useful. Many pupils never touched a keyboard before secondary " +
  "school, and nobody owned one privately.";

export interface Voice {
  /** Silence after a sentence. Default 650. */
  readonly sentenceSilenceMs?: number;
  /** Times the length of a natural word: 2 is half as fast. Default 1. */
  readonly slowness?: number;
}

/** Speaks a text: 120 ms and 45 ms a character for each word, silence after punctuation. About 150 words a minute. */
export function speak(text: string, voice: Voice = {}): SpokenWord[] {
  const { sentenceSilenceMs = 650, slowness = 1 } = voice;
  let atMs = 300;
  return text.split(" ").map((token) => {
    const startMs = atMs;
    const endMs = startMs + Math.round((120 + 45 * token.length) * slowness);
    atMs = endMs + (/[.?!]$/.test(token) ? sentenceSilenceMs : /[,;]$/.test(token) ? 220 : 10);
    return { text: token, startMs, endMs };
  });
}

/** A session of these words, as storage would hand it to the rules. */
export function session(words: readonly SpokenWord[], fillers: "kept" | "may-drop" = "kept"): RulesInput {
  const durationMs = (words.at(-1)?.endMs ?? 0) + 500;
  return { words, figures: measureDelivery({ words, voiced: words, durationMs, fillers }) };
}
