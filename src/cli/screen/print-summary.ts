/** A session's figures, and the report on it, as text for a terminal. */
import { Aspect } from "../../../gen/ts/parley/analysis/v1/analysis_pb.ts";
import type { Report } from "../../../gen/ts/parley/analysis/v1/analysis_pb.ts";
import type { Pauses } from "../../../gen/ts/parley/transcription/v1/delivery_pb.ts";
import type { SessionSummary } from "../../../gen/ts/parley/transcription/v1/transcription_pb.ts";
import { formatTime } from "./format-time.ts";

export function formatSummary(summary: SessionSummary): string {
  const { fillers, pauses } = summary;
  const fillerText =
    fillers?.detectable === true
      ? `${fillers.count ?? 0}${listUses(fillers.uses.map((use) => use.text))}`
      : "not detectable with this engine";
  const rows: readonly [string, string][] = [
    ["duration", `${formatTime(summary.durationMs)}, of it speaking ${formatTime(summary.speakingMs)}`],
    ["words", String(summary.totalWords)],
    ["pace", paceText(summary)],
    ["fillers", fillerText],
    ["pauses", pauses && pauses.count > 0 ? pauseText(pauses) : "none"],
  ];
  return ["Figures", ...rows.map(([name, value]) => `  ${name.padEnd(9)} ${value}`)].join("\n");
}

export function formatReport(report: Report): string {
  const overall = report.overallScore === undefined ? "not scored" : `${report.overallScore} / 100`;
  const lines = [`Report (rules version ${report.rulesVersion}): ${overall}`];
  for (const score of report.scores) {
    const value = score.value === undefined ? "–" : String(score.value);
    lines.push(
      `  ${(aspectNames[score.aspect] ?? "other").padEnd(10)} ${value.padStart(3)}  ${score.summary}`,
    );
  }
  if (report.practices.length > 0) {
    lines.push("", "To practise");
    report.practices.forEach((practice, index) => {
      lines.push(`  ${index + 1}. ${practice.title}: ${practice.advice}`);
    });
  }
  return lines.join("\n");
}

function paceText({ totalWords, averagePace, articulationRate }: SessionSummary): string {
  if (totalWords < 2) return "not measurable";
  return `${Math.round(averagePace)} words/min (${Math.round(articulationRate)} while speaking)`;
}

function pauseText({ count, longCount, longestMs }: Pauses): string {
  return `${count}, ${longCount} of them 2 s or longer; longest ${(longestMs / 1000).toFixed(1)} s`;
}

const aspectNames: Partial<Readonly<Record<Aspect, string>>> = {
  [Aspect.PACE]: "pace",
  [Aspect.FILLERS]: "fillers",
  [Aspect.PAUSES]: "pauses",
  [Aspect.VARIETY]: "variety",
  [Aspect.STRUCTURE]: "structure",
  [Aspect.COVERAGE]: "coverage",
};

function listUses(texts: readonly string[]): string {
  if (texts.length === 0) return "";
  const counts = new Map<string, number>();
  for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1);
  return ` (${[...counts].map(([text, count]) => (count === 1 ? text : `${text} ×${count}`)).join(", ")})`;
}
