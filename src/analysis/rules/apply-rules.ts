/**
 * The report of a session or of a text, by rules alone: the same input gives the same report, word for word. Never asks a
 * network, a database, a model or a clock.
 */
import { FORMULA_VERSION } from "../../delivery/measure-delivery.ts";
import type { Report } from "../report.ts";
import { choosePractices } from "./choose-practices.ts";
import type { Finding } from "./finding.ts";
import { readContent } from "./read-content.ts";
import type { RulesInput } from "./rules-input.ts";
import { scoreCoverage } from "./score-coverage.ts";
import { scoreFillers } from "./score-fillers.ts";
import { scorePace } from "./score-pace.ts";
import { scorePauses } from "./score-pauses.ts";
import { scoreStructure } from "./score-structure.ts";
import { scoreVariety } from "./score-variety.ts";
import { weighScores } from "./weigh-scores.ts";

export type { RulesInput } from "./rules-input.ts";

/** Version of the rules in this folder. Raised when the same input would give another report. */
export const RULES_VERSION = 1;

export function applyRules(input: RulesInput): Report {
  const content = readContent(input);
  const findings: Finding[] = [
    scorePace(input.figures, input.words),
    scoreFillers(input.figures, input.words),
    scorePauses(input.figures, input.words, input.difficulty ?? "medium"),
    scoreVariety(content),
    scoreStructure(content),
    scoreCoverage(content, input.question),
  ];
  const scores = findings.map((finding) => finding.score);
  const overallScore = weighScores(scores);
  return {
    rulesVersion: RULES_VERSION,
    formulaVersion: input.figures?.formulaVersion ?? FORMULA_VERSION,
    ...(overallScore !== undefined && { overallScore }),
    scores,
    practices: content.length === 0 ? [] : choosePractices(findings),
    totalWords: content.length,
  };
}
