/**
 * All delivery figures of a session from its words and voiced spans. A pure function, cheap enough to be called again
 * with every new final: O(n) for words in order. Never reads audio, a clock or the network.
 */
import { averagePace } from "./average-pace.ts";
import type { DeliveryFigures, DeliveryInput, FillerFigures } from "./delivery-figures.ts";
import { FORMULA_VERSION } from "./delivery-figures.ts";
import { findFillers } from "./find-fillers.ts";
import { findPauses } from "./find-pauses.ts";
import { isWord } from "./is-word.ts";
import { mergeSpans } from "./merge-spans.ts";
import { paceTimeline } from "./pace-timeline.ts";
import { perMinute } from "./per-minute.ts";

export type {
  DeliveryFigures,
  DeliveryInput,
  Filler,
  FillerFigures,
  PacePoint,
  Pause,
  PauseFigures,
  Span,
  SpokenWord,
} from "./delivery-figures.ts";
export { FORMULA_VERSION } from "./delivery-figures.ts";
export { currentPace } from "./current-pace.ts";

/** Measures a session, or what there is of one. Definitions are with each field of `DeliveryFigures`. */
export function measureDelivery(input: DeliveryInput): DeliveryFigures {
  const words = input.words.filter((word) => isWord(word.text));
  const voiced = mergeSpans(input.voiced.length > 0 ? input.voiced : words);
  const speakingMs = voiced.reduce((sum, span) => sum + span.endMs - span.startMs, 0);
  return {
    formulaVersion: FORMULA_VERSION,
    durationMs: input.durationMs,
    speakingMs,
    totalWords: words.length,
    averagePace: averagePace(words),
    articulationRate: perMinute(words.length, speakingMs),
    paceTimeline: paceTimeline(words, input.durationMs),
    fillers: measureFillers(input, words.length, speakingMs),
    pauses: findPauses(voiced),
  };
}

/** A count of 0 is only given when the engine would have let a filler through. */
function measureFillers(input: DeliveryInput, totalWords: number, speakingMs: number): FillerFigures {
  if (input.fillers === "may-drop") return { detectable: false, uses: [] };
  const uses = findFillers(input.words);
  return {
    detectable: true,
    count: uses.length,
    ...(speakingMs > 0 && { perMinute: perMinute(uses.length, speakingMs) }),
    ...(totalWords > 0 && { per100Words: (uses.length * 100) / totalWords }),
    uses,
  };
}
