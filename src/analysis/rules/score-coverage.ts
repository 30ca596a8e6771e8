/**
 * COVERAGE: how much of what the question asks about the answer takes up, by its content words. Knows no synonyms and no
 * facts: it hears whether the subject is spoken of, not whether the answer is right.
 */
import type { Evidence } from "../report.ts";
import { citeFigure, citePassage } from "./cite.ts";
import type { Finding } from "./finding.ts";
import { toScore } from "./finding.ts";
import type { ContentWord } from "./read-content.ts";
import { plainForm } from "./read-content.ts";
import { stem } from "./stem.ts";
import { isStopWord } from "./stop-words.ts";

/** Share of the question's content words from which the score is 1: nobody repeats every word of a question. */
const FULL_SHARE = 0.7;

const LEAST_WORDS = 10;
const MOST_CITED = 4;

/** Words with which questions are put; they do not say what about. */
const FRAMING = new Set(
  (
    "answer ask asked describe detail discuss example explain give imagine interview please question share suppose talk " +
    "tell think time times want walk would way kind sort like situation ever happened outcome result results role job " +
    "position hire"
  ).split(" "),
);

export function scoreCoverage(content: readonly ContentWord[], question: string | undefined): Finding {
  const asked = subjectsOf(question ?? "");
  if ((question ?? "").trim() === "")
    return missing("There is no question to compare the answer with.", content.length);
  if (asked.size === 0) {
    return missing("The question names no subject that could be found in the answer.", content.length);
  }
  if (content.length < LEAST_WORDS) {
    return missing(
      `The answer's fit to the question is scored from ${LEAST_WORDS} words on.`,
      content.length,
    );
  }
  const mentions = new Map<string, ContentWord>();
  for (const word of content) {
    for (const part of stemsOf(word.plain))
      if (asked.has(part) && !mentions.has(part)) mentions.set(part, word);
  }
  const share = mentions.size / asked.size;
  const open = [...asked].filter(([part]) => !mentions.has(part)).map(([, written]) => written);
  const evidence: Evidence[] = [
    citeFigure(
      "Share of the question's key words that you take up",
      "question_coverage",
      share * 100,
      "%",
      0,
    ),
    ...[...mentions.values()].slice(0, MOST_CITED).map((word) => citePassage("Taken up", [word])),
  ];
  if (open.length > 0) {
    evidence.push({ text: `Not taken up: ${listed(open)}`, figure: "", unit: "" });
  }
  const summary =
    open.length === 0
      ? "You take up everything that the question names."
      : share >= FULL_SHARE
        ? "You take up what the question asks about."
        : `You leave open part of the question: ${listed(open)}.`;
  return {
    score: { aspect: "coverage", value: toScore(share / FULL_SHARE), summary, evidence },
    practice: practise(open, share, evidence),
  };
}

/** The question's content words: stem to word as written first. */
function subjectsOf(question: string): Map<string, string> {
  const subjects = new Map<string, string>();
  for (const token of question.split(/\s+/)) {
    const plain = plainForm(token);
    if (FRAMING.has(plain)) continue;
    for (const part of stemsOf(plain)) if (!subjects.has(part)) subjects.set(part, plain);
  }
  return subjects;
}

/** A hyphenated word is each of its parts: "cross-team" takes up "team". */
function stemsOf(plain: string): string[] {
  return plain
    .split(/[-–—/]/)
    .filter((part) => part.length > 2 && !isStopWord(part))
    .map(stem);
}

function listed(words: readonly string[]): string {
  const shown = words.slice(0, MOST_CITED).map((word) => `“${word}”`);
  return shown.join(", ") + (words.length > MOST_CITED ? " and more" : "");
}

function practise(
  open: readonly string[],
  share: number,
  evidence: readonly Evidence[],
): Finding["practice"] {
  if (share < FULL_SHARE) {
    return {
      aspect: "coverage",
      title: "Answer every part of the question",
      advice:
        `Begin by saying back what was asked, and give one sentence to each part that you left open: ${listed(open)}. ` +
        "Use the question's own words, so that the listener can tick them off.",
      evidence,
    };
  }
  return {
    aspect: "coverage",
    title: "Come back to the question at the end",
    advice:
      "You take up the question well. Close with one sentence that answers it directly, in the words in which it was put.",
    evidence,
  };
}

function missing(summary: string, count: number): Finding {
  const evidence = [citeFigure("Words of the answer", "total_words", count, "words", 0)];
  return {
    score: { aspect: "coverage", summary, evidence },
    practice: {
      aspect: "coverage",
      title: "Begin with the question",
      advice:
        "Say the question back in your own words first, answer it in one sentence, and only then explain.",
      evidence,
    },
  };
}
