/**
 * PACE: how fast somebody speaks, against a comfortable band. Rests on the delivery figures; never on text.
 */
import type { DeliveryFigures, PacePoint, SpokenWord } from "../../delivery/measure-delivery.ts";
import type { Practice } from "../report.ts";
import { citeFigure, citeSpan, clock } from "./cite.ts";
import type { Finding } from "./finding.ts";
import { toScore } from "./finding.ts";

/**
 * Comfortable pace in words per minute. Public speaking guidance puts conversational speech from 120 at the slow end to
 * 160 and more at the fast one (https://www.write-out-loud.com/speech-rate.html); people in the United States usually
 * speak at 125 to 150 (S. E. Lucas, The Art of Public Speaking, 8th edition, page 300).
 */
export const COMFORTABLE_WPM = { from: 120, to: 160 };

/** How far outside the band the score reaches 0; going too slowly costs more per word, the range being smaller. */
const SCORE_LOST_WPM = { below: 70, above: 90 };

/** How far outside the band is not yet worth practising. */
const NEAR_WPM = 5;

/** Least to go by: a few words in a few seconds say nothing about a pace. */
const LEAST_WORDS = 10;
const LEAST_MS = 4_000;

export function scorePace(figures: DeliveryFigures | undefined, words: readonly SpokenWord[]): Finding {
  if (figures === undefined) return missing("There is no recording, so pace cannot be scored.", 0);
  const spokenMs = figures.averagePace > 0 ? (figures.totalWords * 60_000) / figures.averagePace : 0;
  if (figures.totalWords < LEAST_WORDS || spokenMs < LEAST_MS) {
    return missing("Too little was said to score the pace; it takes at least ten words.", figures.totalWords);
  }
  const pace = figures.averagePace;
  const outside = Math.max(
    (COMFORTABLE_WPM.from - pace) / SCORE_LOST_WPM.below,
    (pace - COMFORTABLE_WPM.to) / SCORE_LOST_WPM.above,
    0,
  );
  const evidence = [
    citeFigure("Your pace over the whole answer", "average_pace", pace, "words/min", 0),
    citeFigure(
      "Your pace while you speak, without the pauses",
      "articulation_rate",
      figures.articulationRate,
      "words/min",
      0,
    ),
    ...extremes(figures.paceTimeline, words),
  ];
  const summary = `You speak at ${Math.round(pace)} words a minute, ${verdict(pace)}.`;
  return {
    score: { aspect: "pace", value: toScore(1 - outside), summary, evidence },
    practice: practise(pace, evidence),
  };
}

function verdict(pace: number): string {
  const band = `${COMFORTABLE_WPM.from} to ${COMFORTABLE_WPM.to}`;
  if (isNearBand(pace)) return `within or very near the comfortable ${band}`;
  if (pace > COMFORTABLE_WPM.to) return `faster than the ${band} that listeners follow easily`;
  if (pace < COMFORTABLE_WPM.from) return `slower than the ${band} that keeps listeners with you`;
  return `within the comfortable ${band}`;
}

function isNearBand(pace: number): boolean {
  const outside = Math.max(COMFORTABLE_WPM.from - pace, pace - COMFORTABLE_WPM.to);
  return outside > 0 && outside <= NEAR_WPM;
}

/** The fastest and the slowest window, when there are enough for them to differ. */
function extremes(timeline: readonly PacePoint[], words: readonly SpokenWord[]) {
  const spoken = timeline.filter((point) => point.wordsPerMinute > 0);
  if (spoken.length < 3) return [];
  const sorted = spoken.toSorted((a, b) => a.wordsPerMinute - b.wordsPerMinute);
  return [
    { label: "Fastest stretch", point: sorted.at(-1) },
    { label: "Slowest stretch", point: sorted[0] },
  ].flatMap(({ label, point }) => (point === undefined ? [] : citeStretch(label, point, words)));
}

function citeStretch(label: string, point: PacePoint, words: readonly SpokenWord[]) {
  const pace = Math.round(point.wordsPerMinute);
  const where = `${clock(point.startMs)} to ${clock(point.endMs)}`;
  return {
    ...citeSpan(`${label}: ${pace} words a minute from ${where}`, point, words),
    figure: "pace_timeline",
    value: pace,
    unit: "words/min",
  };
}

function practise(pace: number, evidence: Practice["evidence"]): Practice {
  if (pace > COMFORTABLE_WPM.to + NEAR_WPM) {
    return {
      aspect: "pace",
      title: "Slow down a little",
      advice:
        "Give the same answer again and breathe at the end of every sentence. Aim for 140 words a minute: " +
        "about one sentence in six seconds.",
      evidence,
    };
  }
  if (pace < COMFORTABLE_WPM.from - NEAR_WPM) {
    return {
      aspect: "pace",
      title: "Pick up the pace",
      advice:
        "Note three key words for your answer, then give it again without stopping to look for words. " +
        "Aim for 130 words a minute.",
      evidence,
    };
  }
  return {
    aspect: "pace",
    title: "Use pace on purpose",
    advice:
      "Your pace is comfortable. Give the answer again, say the one sentence that matters most clearly more slowly " +
      "than the rest, and listen whether it stands out.",
    evidence,
  };
}

function missing(summary: string, totalWords: number): Finding {
  const evidence = [citeFigure("Words spoken in the recording", "total_words", totalWords, "words", 0)];
  return {
    score: { aspect: "pace", summary, evidence },
    practice: {
      aspect: "pace",
      title: "Say it aloud for a minute",
      advice:
        "Record yourself giving this answer aloud for at least one minute, so that your pace can be measured.",
      evidence,
    },
  };
}
