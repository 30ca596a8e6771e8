/**
 * VARIETY: different words, different sentence beginnings, few phrases said again and again. Fillers are left out: they
 * have a score of their own.
 */
import type { Evidence, Practice } from "../report.ts";
import { citeFigure, citePassage, countOf } from "./cite.ts";
import type { Finding } from "./finding.ts";
import { toScore } from "./finding.ts";
import type { ContentWord } from "./read-content.ts";
import type { RepeatedPhrase, RepeatedStarter } from "./find-repetition.ts";
import { findRepeatedPhrases, findRepeatedStarter } from "./find-repetition.ts";
import { typeTokenRatio } from "./type-token-ratio.ts";

/** Words of a window of the type-token ratio. */
const WINDOW = 50;

/** Ratio at which the score is 0, and from which it is 1. Free speech has about 0.7 in windows of 50. */
const RATIO = { none: 0.4, full: 0.72 };

/** What is taken off a score of 1 for sentences that begin alike and for each phrase that comes back. */
const LOST = { starter: 0.15, phrase: 0.05, phrasesAtMost: 0.15 };

export function scoreVariety(content: readonly ContentWord[]): Finding {
  const words = content.filter((word) => !word.filler);
  const ratio = typeTokenRatio(
    words.map((word) => word.plain),
    WINDOW,
  );
  if (ratio === undefined) return missing(words.length);
  const starter = findRepeatedStarter(words);
  const phrases = findRepeatedPhrases(words);
  const lost = (starter ? LOST.starter : 0) + Math.min(LOST.phrasesAtMost, LOST.phrase * phrases.length);
  const evidence: Evidence[] = [
    citeFigure("Share of different words in 50 words in a row", "type_token_ratio", ratio, "of 1", 2),
  ];
  if (starter) {
    const label = `${starter.sentences.length} of ${starter.of} sentences begin with “${starter.text}”`;
    evidence.push({
      ...citeFigure(label, "repeated_sentence_starter", starter.sentences.length, "sentences", 0),
    });
    evidence.push(
      ...starter.sentences.slice(0, 2).map((sentence) => citePassage("Begins the same way", sentence)),
    );
  }
  for (const phrase of phrases.slice(0, 3)) {
    evidence.push(
      ...phrase.uses.slice(-1).map((use) => citePassage(`Said ${phrase.uses.length} times`, use)),
    );
  }
  const summary = summarise(ratio, starter, phrases[0]);
  const value = toScore((ratio - RATIO.none) / (RATIO.full - RATIO.none) - lost);
  return {
    score: { aspect: "variety", value, summary, evidence },
    practice: practise(starter?.text, phrases[0]?.text, ratio, evidence),
  };
}

function summarise(ratio: number, starter?: RepeatedStarter, phrase?: RepeatedPhrase): string {
  const words = ratio >= RATIO.full ? "You choose varied words" : "You use the same words again and again";
  const but = ratio >= RATIO.full ? "but" : "and";
  if (starter) {
    const many = countOf(starter.sentences.length, "sentence begins", "sentences begin");
    return `${words}, ${but} ${many} with “${starter.text}”.`;
  }
  if (phrase) return `${words}, ${but} you come back to “${phrase.text}” ${phrase.uses.length} times.`;
  return `${words}${ratio >= RATIO.full ? " and begin your sentences in different ways" : ""}.`;
}

function practise(
  starter: string | undefined,
  phrase: string | undefined,
  ratio: number,
  evidence: readonly Evidence[],
): Practice {
  if (starter !== undefined) {
    return {
      aspect: "variety",
      title: "Begin sentences differently",
      advice:
        `Take three sentences that begin with “${starter}” and begin them with when, why or for whom instead: ` +
        "“Last spring, …”, “To save time, …”, “For our customers, …”.",
      evidence,
    };
  }
  if (phrase !== undefined) {
    return {
      aspect: "variety",
      title: `Find other words for “${phrase}”`,
      advice: `Write down two other ways to say “${phrase}”, then give the answer again and use each of them once.`,
      evidence,
    };
  }
  return {
    aspect: "variety",
    title: ratio >= RATIO.full ? "Add one vivid example" : "Swap general words for exact ones",
    advice:
      ratio >= RATIO.full
        ? "Your wording is varied. Make it memorable as well: replace one general statement by a name, a number or a picture."
        : "Pick three words that you used often, such as “good”, “thing” or “work”, and name exactly what you mean instead.",
    evidence,
  };
}

function missing(count: number): Finding {
  const evidence = [citeFigure("Words besides fillers", "total_words", count, "words", 0)];
  return {
    score: {
      aspect: "variety",
      summary: `Variety of words is scored from ${WINDOW} words on; there are ${count}.`,
      evidence,
    },
    practice: {
      aspect: "variety",
      title: "Say more about it",
      advice: "Give the answer again and add one example: who was there, what you saw, what changed.",
      evidence,
    },
  };
}
