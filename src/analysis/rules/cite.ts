/**
 * Makes evidence. Owns how a figure or a passage is cited; never decides what is worth citing.
 */
import type { SpokenWord } from "../../delivery/measure-delivery.ts";
import type { Evidence } from "../report.ts";
import type { ContentWord } from "./read-content.ts";

/** Longest quotation, in words; what is beyond shows as "…". */
const LONGEST_QUOTE = 14;

/** A figure, rounded to `digits` decimals so that reports read well and compare exactly. */
export function citeFigure(text: string, figure: string, value: number, unit: string, digits = 1): Evidence {
  return { text, figure, value: roundTo(value, digits), unit };
}

/** A passage of the content; carries indexes and times only when the words were spoken in the session. */
export function citePassage(label: string, passage: readonly ContentWord[]): Evidence {
  const first = passage[0]?.spoken;
  const last = passage.at(-1)?.spoken;
  return {
    text: `${label}: ${quote(passage)}`,
    figure: "",
    unit: "",
    ...(first !== undefined &&
      last !== undefined && {
        firstWordIndex: first.index,
        lastWordIndex: last.index,
        startMs: first.startMs,
        endMs: Math.max(first.endMs, last.endMs),
      }),
  };
}

/** A stretch of the session's clock, with the words that lie in it, if any do. */
export function citeSpan(
  text: string,
  span: { readonly startMs: number; readonly endMs: number },
  words: readonly SpokenWord[],
): Evidence {
  const isInside = (word: SpokenWord) => {
    const middleMs = (word.startMs + word.endMs) / 2;
    return middleMs >= span.startMs && middleMs <= span.endMs;
  };
  const first = words.findIndex(isInside);
  return {
    text,
    figure: "",
    unit: "",
    ...(first !== -1 && { firstWordIndex: first, lastWordIndex: words.findLastIndex(isInside) }),
    startMs: span.startMs,
    endMs: span.endMs,
  };
}

export function quote(passage: readonly ContentWord[]): string {
  const shown = passage.slice(0, LONGEST_QUOTE).map((word) => word.text);
  return `“${shown.join(" ")}${passage.length > LONGEST_QUOTE ? " …" : ""}”`;
}

/** "1 pause", "3 pauses". */
export function countOf(count: number, singular: string, plural = `${singular}s`): string {
  return `${count} ${count === 1 ? singular : plural}`;
}

export function roundTo(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}

/** Where on the session's clock, as "1:05", for sentences that a person reads. */
export function clock(timeMs: number): string {
  const seconds = Math.floor(timeMs / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}
