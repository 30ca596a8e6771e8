/** Prints what a run found: one row for each database and kind of fault, then every violation. */
import type { Verdict } from "./check-history.ts";
import type { KillFigures } from "./kill-run.ts";
import type { NetworkFigures } from "./network-run.ts";
import { noticeWithinMs } from "./network-run.ts";
import type { FaultKind, StorageKind } from "./options.ts";

export interface Run {
  readonly storage: StorageKind;
  readonly faults: FaultKind;
  readonly verdict: Verdict;
  readonly tookMs: number;
  readonly kill?: KillFigures;
  readonly network?: NetworkFigures;
}

/** A frame is what a client sends at once: 100 ms. */
const frameSamples = 1_600;
const shownViolations = 40;

export function printRuns(runs: readonly Run[]): void {
  printTable(runs.map(toRow));
  for (const { network, storage } of runs)
    if (network) console.log(`${storage}: ${describeNetwork(network)}`);
  for (const { kill, storage } of runs) {
    if (kill && storage === "postgres") {
      console.log(
        `${storage}: kills with a commit in flight: ${kill.commitsFinished} that PostgreSQL finished afterwards, ` +
          `${kill.commitsUndone} that it undid`,
      );
    }
  }
  for (const { verdict, storage, faults } of runs) {
    for (const { rule, session, detail } of verdict.violations.slice(0, shownViolations)) {
      console.log(`VIOLATION ${storage}, ${faults}, ${session}: ${rule}: ${detail}`);
    }
    const more = verdict.violations.length - shownViolations;
    if (more > 0) console.log(`… and ${more} more`);
  }
}

function toRow({ storage, verdict, kill, network, tookMs }: Run): Record<string, string> {
  const percent = (share: number) => `${(100 * share).toFixed(2)} %`;
  return {
    storage,
    faults: kill ? `${kill.kills} kills` : `${network?.faults ?? 0} network`,
    sessions: String(verdict.sessions),
    resumes: String(verdict.resumes),
    "frames acked": String(Math.floor(verdict.acknowledgedSamples / frameSamples)),
    "samples acked": String(verdict.acknowledgedSamples),
    "samples lost": String(verdict.lostSamples),
    "words lost": String(verdict.lostWords),
    duplicated: String(verdict.duplicatedFinals),
    agreement: `${percent(verdict.agreement)} (worst ${percent(verdict.worstAgreement)})`,
    gaps: String(verdict.gaps),
    violations: String(verdict.violations.length),
    took: `${Math.round(tookMs / 1000)} s`,
  };
}

function describeNetwork({ resets, noticedMs }: NetworkFigures): string {
  const noticed = noticedMs.filter((ms) => ms <= noticeWithinMs).length;
  const seconds = noticedMs.map((ms) => (ms / 1000).toFixed(1)).join(", ");
  return (
    `${resets} resets; half-open noticed within ${noticeWithinMs / 1000} s: ${noticed} of ${noticedMs.length}` +
    ` (after ${seconds} s)`
  );
}

function printTable(rows: readonly Readonly<Record<string, string>>[]): void {
  const columns = Object.keys(rows[0] ?? {});
  const widths = columns.map((column) => Math.max(column.length, ...rows.map((row) => row[column]!.length)));
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, at) => cell.padEnd(widths[at]!)).join(" | ")} |`;
  console.log(line(columns));
  console.log(line(widths.map((width) => "-".repeat(width))));
  for (const row of rows) console.log(line(columns.map((column) => row[column]!)));
}
