/** `parley audit` against a server, and against the database itself: what is whole verifies, and what is not is named. */
import { pino } from "pino";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readConfig } from "../../src/config.ts";
import { startServer } from "../../src/main.ts";
import type { Server } from "../../src/main.ts";
import { openStorage } from "../../src/storage/open-storage.ts";
import type { Storage } from "../../src/storage/open-storage.ts";
import { createMarkerEngine } from "../fakes/marker-engine.ts";
import { describePostgres, silentLog } from "../storage/databases.ts";
import { parley as run } from "./parley.ts";
import { scratchFolder } from "./scratch-folder.ts";

const dataDir = scratchFolder();
let env: Record<string, string>;
const parley = (...args: string[]) => run(args, { env });

async function serve(database: Readonly<Record<string, string>>): Promise<Server> {
  const settings = { DATA_DIR: dataDir, ...database };
  const server = await startServer(readConfig({ HOST: "127.0.0.1", PORT: "0", ...settings }), {
    log: pino({ level: "silent" }),
    engine: createMarkerEngine(),
  });
  env = { ...settings, PORT: new URL(server.url).port };
  return server;
}

/** As the owner of the table does it. */
async function tamper(storage: Storage, text: string): Promise<void> {
  await storage.jobsDatabase.executeSql(
    `alter table audit_events disable trigger user; ${text}; alter table audit_events enable trigger user`,
  );
}

const headOf = (stdout: string) => /^head (\d+:[0-9a-f]{64})$/m.exec(stdout)![1]!;

describe("on PGlite", () => {
  let server: Server | undefined;
  beforeAll(async () => void (server = await serve({})));
  afterAll(() => server?.stop(0));

  test("list shows who did what to what", async () => {
    await parley("keys", "create", "ci", "--scopes", "stats,admin");
    const { exitCode, stdout } = await parley("audit", "list");
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(
      /^1 {2}\d{4}-\d\d-\d\dT[\d:.]+Z {2}service:[0-9a-f]{16} {2}api_key\.create {2}ok {2}api_key_id=[0-9a-f]{16} scopes=stats,admin {2}127\.0\.0\.1$/m,
    );
    const [, actor = ""] = /(service:[0-9a-f]+)/.exec(stdout) ?? [];
    expect((await parley("audit", "list", "--actor", actor)).stdout).toContain("api_key.create");
    expect((await parley("audit", "list", "--actor", "user:nobody")).stdout).toBe("");
  });

  test("list shows who was refused, and why", async () => {
    await parley("keys", "list", "--api-key", `pk_${"0".repeat(16)}_${"A".repeat(43)}`);
    expect((await parley("audit", "list", "--actor", "unknown")).stdout).toMatch(
      /^\d+ {2}\S+Z {2}unknown {2}credential\.refuse {2}signature {2}method=parley\.token\.v1\.TokenService\.ListApiKeys {2}127\.0\.0\.1\n$/,
    );
  });

  test("list --json has one object a line, with all that the hash is made of", async () => {
    const { stdout } = await parley("audit", "list", "--json");
    const [first] = stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(Object.keys(first!).toSorted()).toEqual(
      [
        "action",
        "actor",
        "createTime",
        "hash",
        "outcome",
        "peerAddress",
        "previousHash",
        "sequence",
        "subject",
      ].toSorted(),
    );
  });

  test("verify prints the head, and a head that was noted is still there later", async () => {
    const first = await parley("audit", "verify");
    expect(first).toMatchObject({ exitCode: 0, stderr: "" });
    expect(first.stdout).toMatch(/^(\d+) events read\nhead \1:[0-9a-f]{64}\n$/);
    await parley("keys", "create", "more", "--scopes", "stats");
    const again = await parley("audit", "verify", "--expect", headOf(first.stdout));
    expect(again).toMatchObject({ exitCode: 0, stderr: "" });
    expect(headOf(again.stdout)).not.toBe(headOf(first.stdout));
  });

  test("a noted head that is not there fails, and is named", async () => {
    const rewritten = await parley("audit", "verify", "--expect", `1:${"0".repeat(64)}`);
    expect(rewritten).toMatchObject({ exitCode: 1, stderr: "the audit log is not whole: 1 fault\n" });
    expect(rewritten.stdout).toMatch(/^event 1 is not the one that was noted: the log was rewritten\n/);
    const cut = await parley("audit", "verify", "--expect", `999:${"0".repeat(64)}`);
    expect(cut).toMatchObject({ exitCode: 1 });
    expect(cut.stdout).toMatch(/^event 999 was in the log, which ends with event \d+ now: /);
  });

  test("the database itself is not read beside its server, and verifies without it", async () => {
    expect(await parley("audit", "verify", "--database")).toMatchObject({ exitCode: 1, stdout: "" });
    await server?.stop(0);
    server = undefined;
    const whole = await parley("audit", "verify", "--database");
    expect(whole).toMatchObject({ exitCode: 0, stderr: "" });

    const storage = await openStorage({ dataDir, log: silentLog });
    await tamper(storage, "delete from audit_events where sequence > 1");
    await storage.close();
    const cut = await parley("audit", "verify", "--database");
    expect(cut).toMatchObject({ exitCode: 1, stderr: "the audit log is not whole: 1 fault\n" });
    expect(cut.stdout).toMatch(
      /^event \d+ was in the log, which ends with event 1 now: its end was taken away\n/,
    );
  });
});

describePostgres("on PostgreSQL", (url) => {
  let server: Server;
  let storage: Storage;
  beforeAll(async () => {
    server = await serve({ DATABASE_URL: url() });
    storage = await openStorage({ url: url(), dataDir: "unused", log: silentLog });
    for (const name of ["a", "b", "c", "d"]) await parley("keys", "create", name, "--scopes", "stats");
  });
  afterAll(async () => {
    await storage.close();
    await server.stop(0);
  });

  test("what was changed, taken away and put in is found through the server and beside it", async () => {
    expect(await parley("audit", "verify", "--database")).toMatchObject({ exitCode: 0, stderr: "" });
    await tamper(storage, "update audit_events set actor = 'user:eve' where sequence = 2");
    const changed = await parley("audit", "verify");
    expect(changed).toMatchObject({ exitCode: 1, stderr: "the audit log is not whole: 1 fault\n" });
    expect(changed.stdout).toMatch(
      /^event 2 was changed: its hash is not that of what it says\n\d+ events read\n/,
    );

    await tamper(storage, "delete from audit_events where sequence = 3");
    const both = await parley("audit", "verify", "--database");
    expect(both.stderr).toBe("the audit log is not whole: 2 faults\n");
    expect(both.stdout).toMatch(/^event 2 was changed: .*\nevent 3 is missing\n/);
  });

  test("an end that was taken away shows by the reading itself", async () => {
    const { sequence } = await storage.audit.head();
    await tamper(storage, `delete from audit_events where sequence >= ${sequence - 1}`);
    const key = (await parley("keys", "create", "reader", "--scopes", "admin")).stdout.trim();
    await tamper(storage, `delete from audit_events where sequence > ${sequence - 2}`);
    const { exitCode, stdout } = await parley("audit", "verify", "--api-key", key);
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(new RegExp(`^events \\d to ${sequence + 1} are missing$`, "m"));
  });
});
