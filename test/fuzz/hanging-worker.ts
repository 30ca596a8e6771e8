/** In place of fuzz-worker.ts: does one, and never comes back from the next. */
import { workerData } from "node:worker_threads";
import { FuzzProgress } from "./fuzz-progress.ts";
import type { FuzzWorkerData } from "./fuzz-progress.ts";

const progress = new FuzzProgress((workerData as FuzzWorkerData).progress);
progress.begin(Uint8Array.of(1));
progress.done();
progress.begin(Uint8Array.of(2, 3));
for (;;) /^(a+)+$/.test(`${"a".repeat(1000)}b`);
