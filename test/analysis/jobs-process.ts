/**
 * A process of its own that begins an analysis and never finishes it, for tests that kill it. Asks for an interview about
 * the session of its arguments, says the interview's id, and "running" once a worker has the job in hand.
 */
import { writeSync } from "node:fs";
import { Interviews } from "../../src/analysis/interviews.ts";
import { openPgBossQueue } from "../../src/analysis/jobs/pg-boss-queue.ts";
import { systemClock } from "../../src/clock.ts";
import { openStorage } from "../../src/storage/open-storage.ts";
import { silentLog } from "../storage/silent-log.ts";
import { loadSession } from "./load-session.ts";

const [, , dataDir = "", url = "", sessionId = ""] = process.argv;
const say = (line: string) => writeSync(1, `${line}\n`);

const storage = await openStorage({ dataDir, log: silentLog, ...(url !== "" && { url }) });
const queue = await openPgBossQueue({
  database: storage.jobsDatabase,
  kind: storage.kind,
  onProblem: (message) => say(message),
});
let asked = 0;
const interviews = new Interviews({
  store: storage.interviews,
  queue,
  async loadSession(id) {
    if (++asked === 1) return loadSession(storage, id);
    say("running");
    return new Promise(() => undefined);
  },
  clock: systemClock,
});
const { interviewId } = await interviews.request({ sessionId });
say(interviewId);
await interviews.start();
setInterval(() => undefined, 60_000);
