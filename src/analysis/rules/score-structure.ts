/**
 * STRUCTURE: whether an answer tells situation, task, action and result, in that order, and measures the result.
 */
import type { Evidence, Practice } from "../report.ts";
import { citeFigure, citePassage } from "./cite.ts";
import type { FoundPart } from "./find-parts.ts";
import { findParts, hasNumber } from "./find-parts.ts";
import type { Finding } from "./finding.ts";
import { toScore } from "./finding.ts";
import type { ContentWord } from "./read-content.ts";
import type { Part } from "./structure-cues.ts";
import { PARTS } from "./structure-cues.ts";

/** Parts of a score of 1: each part that shows, telling them in order, and a number in the result. */
const WORTH = { part: 0.2, order: 0.1, number: 0.1 };

const LEAST_WORDS = 20;

const NAMES: Readonly<Record<Part, string>> = {
  situation: "the situation",
  task: "your task",
  action: "what you did",
  result: "the result",
};

export function scoreStructure(content: readonly ContentWord[]): Finding {
  if (content.length < LEAST_WORDS) return missing(content.length);
  const found = findParts(content);
  const absent = PARTS.filter((part) => !found.some((entry) => entry.part === part));
  const inOrder = found.every((entry, index) => index === 0 || (found[index - 1]?.at ?? 0) <= entry.at);
  const result = found.find((entry) => entry.part === "result");
  const measured = result !== undefined && hasNumber(result.passage);
  const share =
    WORTH.part * found.length +
    (inOrder && found.length > 1 ? WORTH.order : 0) +
    (measured ? WORTH.number : 0);
  const evidence = [
    citeFigure(
      "Parts of the answer that show (situation, task, action, result)",
      "star_parts",
      found.length,
      "of 4",
      0,
    ),
    ...found.map((entry) => citePassage(`Shows ${NAMES[entry.part]}`, entry.passage)),
  ];
  return {
    score: {
      aspect: "structure",
      value: toScore(share),
      summary: summarise(absent, inOrder, measured),
      evidence,
    },
    practice: practise(absent, inOrder, measured, found, evidence),
  };
}

function summarise(absent: readonly Part[], inOrder: boolean, measured: boolean): string {
  if (absent.length === PARTS.length)
    return "It is hard to hear a situation, a task, an action and a result in your answer.";
  if (absent.length > 0) return `Your answer does not show ${listOf(absent)}.`;
  if (!inOrder) return "Situation, task, action and result are all there, but not in that order.";
  return measured
    ? "You tell situation, task, action and a result with a number, in that order."
    : "You tell situation, task, action and result in order; a number would make the result stronger.";
}

function listOf(parts: readonly Part[]): string {
  const names = parts.map((part) => NAMES[part]);
  return names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} or ${names.at(-1) ?? ""}`;
}

const ADVICE: Readonly<Record<Part, { title: string; advice: string }>> = {
  situation: {
    title: "Set the scene in one sentence",
    advice: "Begin with when, where and who: “Last year, in my team of four at …”. One sentence is enough.",
  },
  task: {
    title: "Say what was yours to do",
    advice:
      "After the scene, add one sentence that begins with “My task was to …”, so that it is clear what was expected of you.",
  },
  action: {
    title: "Say what you did yourself",
    advice:
      "Name three steps that you took, each beginning with “I” and a verb: “I called …”, “I wrote …”, “I decided …”.",
  },
  result: {
    title: "End with the result",
    advice:
      "Close with a sentence that begins with “As a result, …” and says what changed, with a number if you have one.",
  },
};

const FOUR_PARTS = {
  title: "Tell it in four parts",
  advice: "Say two sentences for each: the situation, your task, what you did, and the result.",
};

/** The most useful fault first: a missing result, then the action, then the rest. */
const MOST_MISSED: readonly Part[] = ["result", "action", "task", "situation"];

function practise(
  absent: readonly Part[],
  inOrder: boolean,
  measured: boolean,
  found: readonly FoundPart[],
  evidence: readonly Evidence[],
): Practice {
  if (absent.length === PARTS.length) return { aspect: "structure", ...FOUR_PARTS, evidence };
  const worst = MOST_MISSED.find((part) => absent.includes(part));
  if (worst !== undefined) return { aspect: "structure", ...ADVICE[worst], evidence };
  if (!inOrder) {
    return {
      aspect: "structure",
      title: "Tell it in order",
      advice:
        "Tell it again as a story: the situation, your task, what you did, the result. Two sentences for each.",
      evidence,
    };
  }
  if (!measured) {
    const result = found
      .filter((entry) => entry.part === "result")
      .map((entry) => citePassage("Your result", entry.passage));
    return {
      aspect: "structure",
      title: "Put a number on the result",
      advice:
        "Say how much, how many or how fast: “from two days to one hour”, “30 percent fewer errors”. An estimate will do.",
      evidence: result,
    };
  }
  return {
    aspect: "structure",
    title: "Add what you learned",
    advice:
      "Your story is complete. Close it with one sentence on what you would do again, or differently, next time.",
    evidence,
  };
}

function missing(count: number): Finding {
  const evidence = [citeFigure("Words of the answer", "total_words", count, "words", 0)];
  return {
    score: {
      aspect: "structure",
      summary: `Structure is scored from ${LEAST_WORDS} words on; there are ${count}.`,
      evidence,
    },
    practice: { aspect: "structure", ...FOUR_PARTS, evidence },
  };
}
