/** One run of kills: speakers speak, the server dies as planned and comes back, and the database is asked each time. */
import { setTimeout as sleep } from "node:timers/promises";
import type { WireEvent } from "./history.ts";
import type { Kill } from "./plan.ts";
import type { HeldCommits, ScratchDatabase } from "./postgres.ts";
import type { ServerUnderTest } from "./server-under-test.ts";
import type { Stage } from "./stage.ts";

/** How long a moment is waited for; then the server is killed at another. */
const momentMs = 5_000;

export interface KillFigures {
  kills: number;
  /** Kills with a commit held back in PostgreSQL, which finished or undid it after the server's death. */
  commitsFinished: number;
  commitsUndone: number;
  /** Processes that outlived their server, of all kills. */
  readonly orphans: number[];
}

export interface KillRun {
  readonly server: ServerUnderTest;
  readonly stage: Stage;
  /** Absent on PGlite, where the moment of a commit can only be guessed. */
  readonly database?: ScratchDatabase;
  readonly onKill: (done: number) => void;
}

export async function carryOutKills(plan: readonly Kill[], run: KillRun): Promise<KillFigures> {
  const figures: KillFigures = { kills: 0, commitsFinished: 0, commitsUndone: 0, orphans: [] };
  const count = (orphans: readonly number[]) => {
    figures.kills += 1;
    figures.orphans.push(...orphans);
    run.onKill(figures.kills);
  };
  const queue = [...plan];
  for (let kill = queue.shift(); kill; kill = queue.shift()) {
    const held = await awaitMoment(kill, run);
    count(await run.server.kill());
    const decided = held && decideHeld(held, kill, figures);
    while (queue[0]?.moment === "start") count(await run.server.startAndKill(queue.shift()!.notBeforeMs));
    await run.server.start();
    await run.stage.takeSnapshots();
    await decided;
  }
  return figures;
}

async function decideHeld(held: HeldCommits, kill: Kill, figures: KillFigures): Promise<void> {
  await sleep(kill.holdMs);
  if (kill.heldCommit === "finishes") {
    figures.commitsFinished += 1;
    await held.release();
  } else {
    figures.commitsUndone += 1;
    await held.undo();
  }
}

/** Resolves when it is time to kill; with the commits that are held, if one is. */
async function awaitMoment(kill: Kill, run: KillRun): Promise<HeldCommits | undefined> {
  await sleep(kill.notBeforeMs);
  if (kill.moment === "commit" && run.database) {
    const held = await run.database.holdCommits();
    const waits = await held.untilOneWaits(momentMs);
    await sleep(kill.delayMs);
    if (waits) return held;
    await held.release();
    return undefined;
  }
  const matches = eventBefore(kill);
  if (matches) {
    await run.stage.until(matches, momentMs);
    await sleep(kill.delayMs);
  }
  return undefined;
}

/** What is seen on the wire when the moment comes; undefined: it comes by itself. */
function eventBefore({ moment }: Kill): ((event: WireEvent) => boolean) | undefined {
  switch (moment) {
    case "any":
    case "start":
      return undefined;
    case "commit":
      return (event) => event.kind === "speech" && event.state === "ended";
    case "decode":
      return (event) => event.kind === "speech";
    case "ack":
      return (event) => event.kind === "ack";
    case "resume":
      return (event) => event.kind === "started" && event.epoch > 1;
  }
}
