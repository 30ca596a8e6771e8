/** A thread that calls the fuzz target, so that a token which it never comes back from can be noticed from outside. */
import { parentPort, workerData } from "node:worker_threads";
import { createRandom } from "../chaos/random.ts";
import { FuzzProgress } from "./fuzz-progress.ts";
import type { FuzzFinding, FuzzWork, FuzzWorkerData } from "./fuzz-progress.ts";
import { randomBytesOf } from "./random-bytes.ts";
import { fuzz } from "./verify-token.ts";

const { work, progress: shared } = workerData as FuzzWorkerData;
const progress = new FuzzProgress(shared);
for (const data of inputsOf(work)) {
  progress.begin(data);
  try {
    await fuzz(data);
  } catch (error) {
    parentPort?.postMessage({ problem: String(error), data } satisfies FuzzFinding);
  }
  progress.done();
}

function* inputsOf(work: FuzzWork): Generator<Uint8Array, void> {
  if (work.kind === "data") {
    yield work.data;
    return;
  }
  const random = createRandom(work.seed);
  const endMs = Date.now() + work.seconds * 1000;
  while (Date.now() < endMs) yield randomBytesOf(random);
}
