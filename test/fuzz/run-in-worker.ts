/** Runs the fuzz target in a thread of its own, and ends it when it comes no further. */
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { FuzzProgress, makeProgress } from "./fuzz-progress.ts";
import type { FuzzFinding, FuzzWork, FuzzWorkerData } from "./fuzz-progress.ts";

export interface FuzzResult {
  readonly count: number;
  /** One of each kind. */
  readonly findings: readonly FuzzFinding[];
}

export interface FuzzRunOptions {
  /** Longer than any token may take, in milliseconds. */
  readonly hangMs: number;
  /** Default: fuzz-worker.ts. */
  readonly program?: URL;
}

/** Rejects when the thread fails by itself. */
export async function runInWorker(work: FuzzWork, options: FuzzRunOptions): Promise<FuzzResult> {
  const { hangMs, program = new URL("./fuzz-worker.ts", import.meta.url) } = options;
  const shared = makeProgress();
  const progress = new FuzzProgress(shared);
  const findings = new Map<string, FuzzFinding>();
  const keep = (finding: FuzzFinding) => {
    const kind = finding.problem.split(": ").slice(0, 2).join(": ");
    if (!findings.has(kind)) findings.set(kind, finding);
  };
  const worker = new Worker(program, {
    workerData: { work, progress: shared } satisfies FuzzWorkerData,
  });
  worker.on("message", keep);
  let last = { count: -1, atMs: Date.now() };
  const watch = setInterval(() => {
    const count = progress.doneCount;
    if (count !== last.count) last = { count, atMs: Date.now() };
    if (Date.now() - last.atMs < hangMs) return;
    keep({ problem: `Finding: no end within ${hangMs} ms`, data: progress.underWay });
    void worker.terminate();
  }, hangMs / 10);
  try {
    await once(worker, "exit"); // rejects with the thread's own error
  } finally {
    clearInterval(watch);
  }
  return { count: progress.doneCount, findings: [...findings.values()] };
}
