/**
 * PAUSES: enough of them, and not too long. Rests on the delivery figures; never on text.
 */
import type { DeliveryFigures, Pause, SpokenWord } from "../../delivery/measure-delivery.ts";
import type { Evidence, Practice } from "../report.ts";
import { citeFigure, citeSpan, clock, countOf, roundTo } from "./cite.ts";
import type { Finding } from "./finding.ts";
import { toScore } from "./finding.ts";
import type { RulesInput } from "./rules-input.ts";

/**
 * Pauses per minute of voice below which speech has too few places to follow and to breathe. A sentence of 15 words at
 * 150 words a minute takes 6 s: ten a minute, with a margin.
 */
const ENOUGH_PER_MINUTE = 8;

/** What long pauses per minute of voice are free, by difficulty: a hard question earns time to think. */
const FREE_LONG_PER_MINUTE = { easy: 0, medium: 1, hard: 2 };

/** Share of the time between first and last voice that may be silent. Read speech has about 0.2, free speech 0.3 to 0.4. */
const COMFORTABLE_SILENCE = 0.4;

/** The most that each fault takes from a score of 1, and how fast. */
const LOST = { tooFew: 0.4, perLong: 0.2, longAtMost: 0.6, perSilence: 1.5, silenceAtMost: 0.5 };

const LEAST_SPEAKING_MS = 10_000;
const MOST_CITED = 4;

export function scorePauses(
  figures: DeliveryFigures | undefined,
  words: readonly SpokenWord[],
  difficulty: NonNullable<RulesInput["difficulty"]>,
): Finding {
  if (figures === undefined) return missing("There is no recording, so pauses cannot be scored.", 0);
  if (figures.speakingMs < LEAST_SPEAKING_MS) {
    return missing("You spoke for less than ten seconds, too little to score pauses.", figures.speakingMs);
  }
  const { pauses } = figures;
  const minutes = figures.speakingMs / 60_000;
  const shortPerMinute = (pauses.count - pauses.longCount) / minutes;
  const longPerMinute = pauses.longCount / minutes;
  const silence = pauses.totalMs / (pauses.totalMs + figures.speakingMs);
  const lostToFew = LOST.tooFew * Math.max(0, 1 - shortPerMinute / ENOUGH_PER_MINUTE);
  const lostToLong = Math.min(
    LOST.longAtMost,
    LOST.perLong * Math.max(0, longPerMinute - FREE_LONG_PER_MINUTE[difficulty]),
  );
  const lostToSilence = Math.min(
    LOST.silenceAtMost,
    LOST.perSilence * Math.max(0, silence - COMFORTABLE_SILENCE),
  );
  const evidence = [
    citeFigure("Pauses", "pause_count", pauses.count, "pauses", 0),
    citeFigure("Pauses of two seconds or more", "long_pause_count", pauses.longCount, "pauses", 0),
    citeFigure("Longest pause", "longest_pause", pauses.longestMs / 1000, "s"),
    ...citeLongest(pauses.spans, words),
  ];
  const tooFew = lostToFew > lostToLong + lostToSilence;
  return {
    score: {
      aspect: "pauses",
      value: toScore(1 - lostToFew - lostToLong - lostToSilence),
      summary: summarise(figures, tooFew, lostToLong + lostToSilence > 0),
      evidence,
    },
    practice: practise(figures, tooFew, lostToLong + lostToSilence > 0, evidence),
  };
}

function summarise(figures: DeliveryFigures, tooFew: boolean, tooLong: boolean): string {
  const { count, longCount, longestMs } = figures.pauses;
  if (tooFew)
    return `You paused ${count === 0 ? "not once" : countOf(count, "time")}, too seldom for listeners to keep up.`;
  if (tooLong && longCount > 0) {
    const longest = roundTo(longestMs / 1000, 1);
    return `You made ${countOf(longCount, "pause")} of two seconds or more, the longest of ${longest} seconds.`;
  }
  if (tooLong) return "Silence takes up much of your answer.";
  return `You made ${countOf(count, "pause")}, enough to follow you and none that drags.`;
}

/** The longest pauses in order of time; each cites the word before and the word after it. */
function citeLongest(pauses: readonly Pause[], words: readonly SpokenWord[]): Evidence[] {
  return pauses
    .toSorted((a, b) => b.endMs - b.startMs - (a.endMs - a.startMs))
    .slice(0, MOST_CITED)
    .toSorted((a, b) => a.startMs - b.startMs)
    .map((pause) => {
      const seconds = roundTo((pause.endMs - pause.startMs) / 1000, 1);
      const before = words.findLastIndex((word) => (word.startMs + word.endMs) / 2 <= pause.startMs);
      const after = words.findIndex((word) => (word.startMs + word.endMs) / 2 >= pause.endMs);
      const { startMs, endMs } = pause;
      const cited = citeSpan(`${seconds} seconds of silence at ${clock(startMs)}`, { startMs, endMs }, []);
      return before === -1 || after <= before
        ? cited
        : { ...cited, firstWordIndex: before, lastWordIndex: after };
    });
}

function practise(
  figures: DeliveryFigures,
  tooFew: boolean,
  tooLong: boolean,
  evidence: readonly Evidence[],
): Practice {
  if (tooFew) {
    return {
      aspect: "pauses",
      title: "Stop at the end of a sentence",
      advice:
        "Give the answer again and count “one” silently after every sentence. It gives your listener time to take in " +
        "the point, and you time to plan the next.",
      evidence,
    };
  }
  if (tooLong) {
    const longest = roundTo(figures.pauses.longestMs / 1000, 1);
    return {
      aspect: "pauses",
      title: "Shorten the long silences",
      advice:
        `Your longest silence lasts ${longest} seconds. Before you begin, take five seconds to choose three points; ` +
        "when you get stuck, say “Let me think about that for a moment” and go on to the next point.",
      evidence,
    };
  }
  return {
    aspect: "pauses",
    title: "Pause before what matters",
    advice:
      "Your pauses work well. Give the answer again with one full second of silence right before your result, and hear " +
      "how it draws attention.",
    evidence,
  };
}

function missing(summary: string, speakingMs: number): Finding {
  const evidence = [citeFigure("Time that you spoke", "speaking_time", speakingMs / 1000, "s")];
  return {
    score: { aspect: "pauses", summary, evidence },
    practice: {
      aspect: "pauses",
      title: "Give a one-minute answer aloud",
      advice: "Record a full minute of this answer and stop for a breath after every sentence.",
      evidence,
    },
  };
}
