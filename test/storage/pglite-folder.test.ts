/** PGlite's folder: one process at a time, and whole after a kill at any moment. Real processes, really killed. */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openStorage } from "../../src/storage/open-storage.ts";
import { silentLog } from "./databases.ts";
import { segment, session } from "./samples.ts";

let dataDir: string;
let children: ChildProcess[];
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), "parley-storage-"));
  children = [];
});
afterEach(async () => {
  await Promise.all(children.map(kill));
  rmSync(dataDir, { recursive: true, force: true, maxRetries: 5 });
});

const open = () => openStorage({ dataDir, log: silentLog });

function start(...args: string[]) {
  const program = join(import.meta.dirname, "storage-process.ts");
  const child = spawn(process.execPath, [program, dataDir, ...args], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  children.push(child);
  return { child, lines: createInterface({ input: child.stdout })[Symbol.asyncIterator]() };
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const { promise, resolve } = Promise.withResolvers<undefined>();
  child.once("exit", () => resolve(undefined));
  child.kill("SIGKILL");
  await promise;
}

test("what was written is there after closing and opening, and no helper file stays", async () => {
  const first = await open();
  await first.sessions.create(session("kept"));
  await expect(open()).rejects.toMatchObject({ code: "locked" });
  await first.close();
  const second = await open();
  expect(await second.sessions.get("kept")).toBeDefined();
  await second.close();
  expect(readdirSync(dataDir).sort()).toEqual(["pglite", "pglite.lock"]);
});

test("a folder that another process has open is locked, and the message says by whom and what to do", async () => {
  const { child, lines } = start("hold");
  expect((await lines.next()).value).toBe("open");
  const error: unknown = await open().catch((reason: unknown) => reason);
  expect(error).toMatchObject({ code: "locked", retryable: false });
  const { message } = error as Error;
  for (const part of [join(dataDir, "pglite"), `process ${String(child.pid)}`, "DATA_DIR", "DATABASE_URL"]) {
    expect(message).toContain(part);
  }
  await kill(child);
  await (await open()).close();
});

test("of several processes that open a folder left by a killed one, exactly one gets it", async () => {
  const left = start("hold");
  await left.lines.next();
  await kill(left.child);
  // The pid that it left is made one that is alive: it must not be taken for the holder.
  writeFileSync(join(dataDir, "pglite.pid"), `${String(process.pid)}\n`);
  const answers = await Promise.all(
    [1, 2, 3].map(async () => (await start("hold").lines.next()).value as string),
  );
  expect(answers.sort()).toEqual(["locked", "locked", "open"]);
});

test("a kill in the middle of commits loses none that was acknowledged", { timeout: 120_000 }, async () => {
  for (const round of [1, 2, 3]) {
    const sessionId = `round-${round}`;
    const { child, lines } = start("commit", sessionId);
    let acknowledged = -1;
    for await (const line of { [Symbol.asyncIterator]: () => lines }) {
      if (line === "open") continue;
      acknowledged = Number(line);
      if (acknowledged === 150 * round) child.kill("SIGKILL");
    }
    expect(acknowledged).toBeGreaterThanOrEqual(150 * round);
    await kill(child);
    const storage = await open();
    const found = await storage.sessions.segments(sessionId);
    expect(found.length).toBeGreaterThan(acknowledged);
    expect(found).toEqual(found.map((_, index) => segment(index)));
    expect((await storage.sessions.get(sessionId))!.committedThrough).toBe(found.length * 16_000);
    await storage.close();
  }
});

test(
  "a kill in the middle of the first initialisation leaves a folder that opens",
  { timeout: 120_000 },
  async () => {
    // Once as soon as the new folder is there, and once when it is nearly whole.
    for (const seen of ["", "PG_VERSION"]) {
      const { child } = start("hold");
      await expect
        .poll(
          () => {
            const unfinished = readdirSync(dataDir).find((name) => name.startsWith("pglite.new-"));
            return (
              unfinished !== undefined &&
              (seen === "" || readdirSync(join(dataDir, unfinished)).includes(seen))
            );
          },
          { interval: 1, timeout: 60_000 },
        )
        .toBe(true);
      await kill(child);
      expect(readdirSync(dataDir)).not.toContain("pglite");
    }
    const storage = await open();
    await storage.sessions.create(session("first"));
    await storage.close();
    // The killed processes' children have ended by now or end soon; whatever they left goes with the next start.
    await expect
      .poll(
        async () => {
          await (await open()).close();
          return readdirSync(dataDir).sort();
        },
        { timeout: 20_000, interval: 200 },
      )
      .toEqual(["pglite", "pglite.lock"]);
  },
);

test("a folder that is something else, or damaged, is corrupt and stays untouched", async () => {
  const folder = join(dataDir, "pglite");
  mkdirSync(folder);
  writeFileSync(join(folder, "mine.txt"), "mine");
  await expect(open()).rejects.toMatchObject({ code: "corrupt" });
  expect(readFileSync(join(folder, "mine.txt"), "utf8")).toBe("mine");
  rmSync(folder, { recursive: true });

  await (await open()).close();
  truncateSync(join(folder, "global", "pg_control"), 100);
  await expect(open()).rejects.toMatchObject({ code: "corrupt" });
  await expect(open()).rejects.toMatchObject({ code: "corrupt" });
});
