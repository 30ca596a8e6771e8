/**
 * One run on one database: the reference first, then speakers and faults, then the verdict. Leaves no process, folder
 * or database behind; what a run with violations saw is kept in .cache/chaos.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Recording } from "../bench/recordings.ts";
import { mintTranscriptionToken, speak } from "../e2e/speech-client.ts";
import { checkHistories } from "./check-history.ts";
import type { SpokenWord, Violation } from "./history.ts";
import { carryOutKills } from "./kill-run.ts";
import { Route, carryOutNetworkFaults, noticeWithinMs } from "./network-run.ts";
import type { FaultKind, Options, StorageKind } from "./options.ts";
import { planKills, planNetworkFaults } from "./plan.ts";
import { createScratchDatabase } from "./postgres.ts";
import type { ScratchDatabase } from "./postgres.ts";
import { makeRecording } from "./recording.ts";
import type { Run } from "./report.ts";
import { startServerUnderTest } from "./server-under-test.ts";
import type { ServerUnderTest } from "./server-under-test.ts";
import { speakUntilOver } from "./speaker.ts";
import { Stage } from "./stage.ts";
import { findToxiproxy, startToxiproxy } from "./toxiproxy.ts";

/** Reconnects soon: an app's defaults would make each kill dearer, and prove no more. */
const timing = { firstBackoffMs: 50, maxBackoffMs: 400, giveUpAfterMs: 120_000 };
/** What the last sessions get to end after the last fault. */
const endWithinMs = 180_000;

export interface Share {
  readonly storage: StorageKind;
  readonly faults: FaultKind;
  /** How many. */
  readonly count: number;
  readonly seed: number;
}

/** Servers that share a database also share the secret that tokens are signed with. */
function envOf(database: ScratchDatabase): Record<string, string> {
  return { DATABASE_URL: database.url, JWT_SECRET: `one secret of all servers on ${database.url}` };
}

interface Scene {
  readonly share: Share;
  readonly options: Options;
  readonly recording: Recording;
  readonly reference: readonly SpokenWord[];
  readonly server: ServerUnderTest;
  readonly database: ScratchDatabase | undefined;
}

/** What was done to the server, and what was found beside the sessions themselves. */
interface Done {
  readonly figures: Pick<Run, "kill" | "network">;
  readonly found: readonly Violation[];
}

export async function carryOutRun(share: Share, options: Options): Promise<Run> {
  const recording = makeRecording(share.seed, options.sessionMs);
  const database = share.storage === "postgres" ? await createScratchDatabase() : undefined;
  try {
    const server = await startServerUnderTest(database ? envOf(database) : {});
    try {
      const { summary } = await speak({ ...server, samples: recording.samples });
      const seconds = Math.round(recording.samples.length / recording.sampleRateHz);
      console.log(
        `${share.storage}, ${share.faults}: ${share.count} faults; ${options.speakers} speakers, ` +
          `each session ${seconds} s and ${summary.words.length} words, at ${options.pace} times real time`,
      );
      return await breakAndJudge({ share, options, recording, reference: summary.words, server, database });
    } finally {
      await server.close();
    }
  } finally {
    await database?.drop();
  }
}

async function breakAndJudge(scene: Scene): Promise<Run> {
  const { share, recording, reference, server } = scene;
  const startedAt = performance.now();
  const stage = new Stage(server, recording);
  const { figures, found } = await (share.faults === "kill" ? kill : breakNetwork)(scene, stage);
  const histories = stage.histories();
  const judged = checkHistories(histories, reference);
  const verdict = { ...judged, violations: [...found, ...judged.violations] };
  if (verdict.violations.length > 0) {
    keep(`${share.storage}-${share.faults}-${share.seed}`, { reference, histories, output: server.output() });
  }
  return { ...share, ...figures, verdict, tookMs: performance.now() - startedAt };
}

async function kill(scene: Scene, stage: Stage): Promise<Done> {
  const { share, options, server, database } = scene;
  const speaking = beginSpeaking(
    scene,
    stage,
    Array.from({ length: options.speakers }, () => () => server.url),
  );
  const figures = await carryOutKills(planKills(share.seed, share.count), {
    server,
    stage,
    ...(database && { database }),
    onKill: (done) => showProgress(done, share),
  });
  await ending(speaking, stage);
  const found = figures.orphans.map((pid) => ({
    rule: "orphan-process" as const,
    session: "server",
    detail: `process ${pid} outlived its server`,
  }));
  return { figures: { kill: figures }, found };
}

async function breakNetwork(scene: Scene, stage: Stage): Promise<Done> {
  const { share, options, server, database } = scene;
  const second = database && (await startServerUnderTest(envOf(database)));
  const toxiproxy = await startToxiproxy(findToxiproxy()!);
  try {
    const servers = second ? [server, second] : [server];
    const routes = await Promise.all(
      Array.from({ length: options.speakers }, async () => {
        return new Route(await Promise.all(servers.map(({ url }) => toxiproxy.proxyTo(url))));
      }),
    );
    const speaking = beginSpeaking(
      scene,
      stage,
      routes.map((route) => () => route.current.url),
    );
    const figures = await carryOutNetworkFaults(
      planNetworkFaults(share.seed, share.count, options.speakers),
      { routes, stage, onFault: (done) => showProgress(done, share) },
    );
    await ending(speaking, stage);
    const found = figures.noticedMs
      .filter((ms) => ms > noticeWithinMs)
      .map((ms) => ({
        rule: "half-open-unnoticed" as const,
        session: "a client",
        detail: `${(ms / 1000).toFixed(1)} s, more than ${noticeWithinMs / 1000} s`,
      }));
    return { figures: { network: figures }, found };
  } finally {
    await toxiproxy.close();
    await second?.close();
  }
}

function beginSpeaking(
  { options, recording, server }: Scene,
  stage: Stage,
  urls: readonly (() => string)[],
): Promise<void>[] {
  return urls.map((url, index) =>
    speakUntilOver({
      index,
      url,
      mintToken: () => mintTranscriptionToken(server.url, server.apiKey, `speaker-${index}`),
      recording,
      stage,
      transport: options.transports[index % options.transports.length] ?? "grpc",
      pace: options.pace,
      timing,
    }),
  );
}

/** A session that does not end in time counts as one without an end. */
async function ending(speaking: readonly Promise<void>[], stage: Stage): Promise<void> {
  stage.isOver = true;
  const late = new Promise<void>((resolve) => setTimeout(resolve, endWithinMs).unref());
  await Promise.race([Promise.all(speaking), late]);
}

function showProgress(done: number, { count }: Share): void {
  if (done % 10 === 0 || done === count) console.log(`  ${done} of ${count}`);
}

function keep(name: string, content: object): void {
  const folder = join(import.meta.dirname, "../../.cache/chaos");
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${name}.json`);
  writeFileSync(file, JSON.stringify(content));
  console.log(`the histories are in ${file}`);
}
