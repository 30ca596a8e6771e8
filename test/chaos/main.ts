/**
 * `npm run chaos`: kills the real server, and breaks the network before it, again and again while clients speak, and checks
 * what was promised. Exits with 1 on any violation, with 2 when it could not run. The histories of a run with violations
 * are kept in .cache/chaos.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { mintTranscriptionToken, speak } from "../e2e/speech-client.ts";
import type { Recording } from "../bench/recordings.ts";
import { checkHistories } from "./check-history.ts";
import type { SpokenWord, Violation } from "./history.ts";
import { carryOutKills } from "./kill-run.ts";
import { carryOutNetworkFaults, noticeWithinMs } from "./network-run.ts";
import { readOptions, usage } from "./options.ts";
import type { FaultKind, Options, StorageKind } from "./options.ts";
import { planKills, planNetworkFaults } from "./plan.ts";
import { createScratchDatabase, postgresMissing } from "./postgres.ts";
import type { ScratchDatabase } from "./postgres.ts";
import { makeRecording } from "./recording.ts";
import { printRuns } from "./report.ts";
import type { Run } from "./report.ts";
import { startServerUnderTest } from "./server-under-test.ts";
import type { ServerUnderTest } from "./server-under-test.ts";
import { speakUntilOver } from "./speaker.ts";
import { Stage } from "./stage.ts";
import { findToxiproxy, installLine, startToxiproxy } from "./toxiproxy.ts";

/** Reconnects soon: an app's defaults would make each kill dearer, and prove no more. */
const timing = { firstBackoffMs: 50, maxBackoffMs: 400, giveUpAfterMs: 120_000 };
/** What the last sessions get to end after the last fault. */
const endWithinMs = 180_000;

interface Share {
  readonly storage: StorageKind;
  readonly faults: FaultKind;
  readonly count: number;
  readonly seed: number;
}

const options = parse();
console.log(`seed ${options.seed}`);
const skipped: string[] = [];
const runs: Run[] = [];
for (const share of shares(options)) {
  const missing = await missingFor(share);
  if (missing === undefined) runs.push(await run(share));
  else skipped.push(`SKIPPED ${share.faults} on ${share.storage}: ${missing}`);
}
if (runs.length > 0) printRuns(runs);
for (const line of skipped) console.log(line);
const failed = runs.some(({ verdict }) => verdict.violations.length > 0);
if (failed) console.log(`FAILED; the same plan again: --seed ${options.seed}`);
process.exit(failed ? 1 : runs.length === 0 || (skipped.length > 0 && process.env["CI"] === "true") ? 2 : 0);

function parse(): Options {
  try {
    return readOptions(process.argv.slice(2));
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : "?"}\n${usage}`);
    process.exit(2);
  }
}

/** Kills and faults divided among the databases. */
function shares({ faults, storages, kills, networkFaults, seed }: Options): Share[] {
  return faults.flatMap((kind) =>
    storages.map((storage, index) => {
      const total = kind === "kill" ? kills : networkFaults;
      const count = Math.ceil((total - index) / storages.length);
      return { storage, faults: kind, count, seed: seed + index };
    }),
  );
}

async function missingFor({ storage, faults }: Share): Promise<string | undefined> {
  if (faults === "network" && findToxiproxy() === undefined) {
    return `toxiproxy is not here; install it with: ${installLine}`;
  }
  const missing = storage === "postgres" ? await postgresMissing() : undefined;
  return missing && `no PostgreSQL: ${missing}`;
}

async function run(share: Share): Promise<Run> {
  const recording = makeRecording(share.seed, options.sessionMs);
  const database = share.storage === "postgres" ? await createScratchDatabase() : undefined;
  const server = await startServerUnderTest(database ? { DATABASE_URL: database.url } : {});
  try {
    const { summary } = await speak({ ...server, samples: recording.samples });
    console.log(
      `${share.storage}, ${share.faults}: ${share.count} faults; ${options.speakers} speakers, each session ` +
        `${Math.round(recording.samples.length / recording.sampleRateHz)} s and ${summary.words.length} words`,
    );
    return await breakAndJudge({ share, recording, reference: summary.words, server, database });
  } finally {
    await server.close();
    await database?.drop();
  }
}

interface Scene {
  readonly share: Share;
  readonly recording: Recording;
  readonly reference: readonly SpokenWord[];
  readonly server: ServerUnderTest;
  readonly database: ScratchDatabase | undefined;
}

async function breakAndJudge({ share, recording, reference, server, database }: Scene): Promise<Run> {
  const startedAt = performance.now();
  const stage = new Stage(server, recording);
  const progress = (done: number) => {
    if (done % 10 === 0 || done === share.count) console.log(`  ${done} of ${share.count}`);
  };
  const found: Violation[] = [];
  const begin = (urls: readonly string[]) =>
    urls.map((url, index) =>
      speakUntilOver({
        name: `speaker ${index}`,
        url,
        mintToken: () => mintTranscriptionToken(server.url, server.apiKey, `speaker-${index}`),
        recording,
        stage,
        pace: options.pace,
        timing,
      }),
    );
  let figures: Pick<Run, "kill" | "network">;
  if (share.faults === "kill") {
    const speaking = begin(Array<string>(options.speakers).fill(server.url));
    const kill = await carryOutKills(planKills(share.seed, share.count), {
      server,
      stage,
      ...(database && { database }),
      onKill: progress,
    });
    for (const pid of kill.orphans) {
      found.push({ rule: "orphan-process", session: "server", detail: `process ${pid} outlived its server` });
    }
    await ending(speaking, stage);
    figures = { kill };
  } else {
    const toxiproxy = await startToxiproxy(findToxiproxy()!);
    try {
      const proxies = await Promise.all(
        Array.from({ length: options.speakers }, () => toxiproxy.proxyTo(server.url)),
      );
      const speaking = begin(proxies.map((proxy) => proxy.url));
      const plan = planNetworkFaults(share.seed, share.count, options.speakers);
      const network = await carryOutNetworkFaults(plan, { proxies, stage, onFault: progress });
      for (const ms of network.noticedMs.filter((took) => took > noticeWithinMs)) {
        const detail = `${(ms / 1000).toFixed(1)} s, more than ${noticeWithinMs / 1000} s`;
        found.push({ rule: "half-open-unnoticed", session: "a client", detail });
      }
      await ending(speaking, stage);
      figures = { network };
    } finally {
      await toxiproxy.close();
    }
  }
  const histories = stage.histories();
  const judged = checkHistories(histories, reference);
  const verdict = { ...judged, violations: [...found, ...judged.violations] };
  if (verdict.violations.length > 0) {
    keep(`${share.storage}-${share.faults}-${options.seed}`, {
      reference,
      histories,
      output: server.output(),
    });
  }
  return { ...share, ...figures, verdict, tookMs: performance.now() - startedAt };
}

/** A session that does not end in time counts as one without an end. */
async function ending(speaking: readonly Promise<void>[], stage: Stage): Promise<void> {
  stage.isOver = true;
  const late = new Promise<void>((resolve) => setTimeout(resolve, endWithinMs).unref());
  await Promise.race([Promise.all(speaking), late]);
}

function keep(name: string, content: object): void {
  const folder = join(import.meta.dirname, "../../.cache/chaos");
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${name}.json`);
  writeFileSync(file, JSON.stringify(content));
  console.log(`the histories are in ${file}`);
}
