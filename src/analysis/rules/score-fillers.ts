/**
 * FILLERS: how often "um", "like" and their kin interrupt. Rests on the delivery figures; silent when the engine may have
 * dropped fillers, because then few fillers prove nothing.
 */
import { findFillers } from "../../delivery/find-fillers.ts";
import type { DeliveryFigures, Filler, SpokenWord } from "../../delivery/measure-delivery.ts";
import type { Evidence, Practice } from "../report.ts";
import { citeFigure, clock, countOf, roundTo } from "./cite.ts";
import type { Finding } from "./finding.ts";
import { toScore } from "./finding.ts";

/**
 * Per 100 words: up to here nobody notices, and where the score reaches 0. Ordinary conversation has about 6
 * disfluencies of all kinds per 100 words (Bortfeld et al. 2001, Language and Speech 44), under half of them fillers.
 */
const UNNOTICED_PER_100 = 1;
const SCORE_LOST_PER_100 = 11;

const LEAST_WORDS = 10;

/** How many single fillers are cited. */
const MOST_CITED = 5;

export function scoreFillers(figures: DeliveryFigures | undefined, words: readonly SpokenWord[]): Finding {
  if (figures === undefined) return missing("There is no recording, so fillers cannot be scored.", 0, []);
  const heard = findFillers(words);
  if (!figures.fillers.detectable) {
    const summary = "The recogniser may leave out words like “um”, so fillers cannot be scored.";
    return missing(summary, figures.totalWords, heard);
  }
  const per100 = figures.fillers.per100Words;
  if (per100 === undefined || figures.totalWords < LEAST_WORDS) {
    const summary = "Too little was said to score fillers; it takes at least ten words.";
    return missing(summary, figures.totalWords, heard);
  }
  const uses = figures.fillers.uses;
  const value = toScore((SCORE_LOST_PER_100 - per100) / (SCORE_LOST_PER_100 - UNNOTICED_PER_100));
  const evidence = [
    citeFigure("Fillers in 100 words", "fillers_per_100_words", per100, "per 100 words"),
    citeFigure("Fillers in all", "filler_count", uses.length, "fillers", 0),
    ...citeUses(uses),
  ];
  const summary =
    uses.length === 0
      ? "You used no fillers."
      : `You used ${countOf(uses.length, "filler")}, ${roundTo(per100, 1)} in 100 words; most often “${mostUsed(uses)}”.`;
  return { score: { aspect: "fillers", value, summary, evidence }, practice: practise(uses, evidence) };
}

function citeUses(uses: readonly Filler[]): Evidence[] {
  return uses.slice(0, MOST_CITED).map(({ text, ...place }) => ({
    text: `“${text}” at ${clock(place.startMs)}`,
    figure: "",
    unit: "",
    ...place,
  }));
}

/** The most frequent; of equals the one said first. */
function mostUsed(uses: readonly Filler[]): string {
  const counts = new Map<string, number>();
  for (const use of uses) counts.set(use.text, (counts.get(use.text) ?? 0) + 1);
  return [...counts].reduce((best, entry) => (entry[1] > best[1] ? entry : best), ["", 0])[0];
}

function practise(uses: readonly Filler[], evidence: readonly Evidence[]): Practice {
  if (uses.length === 0) {
    return {
      aspect: "fillers",
      title: "Stay free of fillers under pressure",
      advice:
        "No fillers: keep that. Have a friend put a question that you have not prepared, wait for one silent breath, " +
        "and only then begin.",
      evidence,
    };
  }
  const filler = mostUsed(uses);
  return {
    aspect: "fillers",
    title: `Swap “${filler}” for a silent breath`,
    advice:
      `Give the same answer again. Whenever “${filler}” comes up, close your mouth and breathe in instead. ` +
      "The silence feels long to you and short to everybody else.",
    evidence,
  };
}

function missing(summary: string, totalWords: number, heard: readonly Filler[]): Finding {
  const total = citeFigure("Words spoken in the recording", "total_words", totalWords, "words", 0);
  const evidence = [total, ...citeUses(heard)];
  return {
    score: { aspect: "fillers", summary, evidence },
    practice:
      heard.length > 0
        ? practise(heard, evidence)
        : {
            aspect: "fillers",
            title: "Listen for your fillers",
            advice:
              "Record one minute of this answer, play it back, and make a mark for every “um”, “like” and “you know”. " +
              "Then try for half as many.",
            evidence,
          },
  };
}
