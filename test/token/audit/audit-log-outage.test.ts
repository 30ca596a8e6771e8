/** The log on a real PostgreSQL whose connections break, in the middle of commits too, and which goes away and comes back. */
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { systemClock } from "../../../src/clock.ts";
import { openStorage } from "../../../src/storage/open-storage.ts";
import type { Storage } from "../../../src/storage/open-storage.ts";
import { AuditLog } from "../../../src/token/audit/audit-log.ts";
import { verifyChain } from "../../../src/token/audit/verify-chain.ts";
import { startLostCommitProxy } from "../../fakes/lost-commit-proxy.ts";
import type { LostCommitProxy } from "../../fakes/lost-commit-proxy.ts";
import { startTcpProxy } from "../../fakes/tcp-proxy.ts";
import type { TcpProxy } from "../../fakes/tcp-proxy.ts";
import { describePostgres, silentLog } from "../../storage/databases.ts";
import { entry } from "./make-chain.ts";

describePostgres("an audit log whose PostgreSQL fails", (url) => {
  let proxy: TcpProxy;
  let commits: LostCommitProxy;
  let direct: Storage;
  let throughProxy: Storage;
  let problems: string[];
  beforeAll(async () => {
    const target = new URL(url());
    proxy = await startTcpProxy({ host: target.hostname, port: Number(target.port || 5432) });
    direct = await openStorage({ url: target.href, dataDir: "unused", log: silentLog });
    commits = await startLostCommitProxy({ host: "127.0.0.1", port: proxy.port });
    target.host = `127.0.0.1:${commits.port}`;
    throughProxy = await openStorage({
      url: target.href,
      dataDir: "unused",
      log: silentLog,
      timeoutMs: 1000,
    });
  });
  beforeEach(() => void (problems = []));
  afterAll(async () => {
    await proxy.resume();
    await Promise.all([direct, throughProxy].map((storage) => storage.close()));
    await commits.close();
    await proxy.close();
  });

  const startLog = (storage: Storage) =>
    new AuditLog({
      store: storage.audit,
      clock: systemClock,
      onProblem: (message) => void problems.push(message),
    });

  async function subjectsOf(actor: string): Promise<string[]> {
    const { items } = await direct.audit.list({}, { size: 10_000 });
    expect((await verifyChain(items)).faults).toEqual([]);
    return items.filter((event) => event.actor === actor).map(({ subject }) => subject);
  }

  async function flushUntilTaken(log: AuditLog): Promise<number> {
    for (let failures = 0; ; failures++) {
      try {
        await log.flush();
        return failures;
      } catch (error) {
        expect(error).toMatchObject({ name: "StorageError", code: "unavailable" });
      }
    }
  }

  test("writes each event once and in its order, whatever answer is lost, beside another replica", async () => {
    const log = startLog(throughProxy);
    const replica = startLog(direct);
    const recorded: string[] = [];
    let failures = 0;
    for (let round = 0; round < 40; round++) {
      for (let nth = 0; nth < 3; nth++) {
        recorded.push(`${round}-${nth}`);
        log.record(entry(`${round}-${nth}`, { actor: "cut" }));
        replica.record(entry("", { actor: "replica" }));
      }
      if (round % 2 === 0) commits.loseNextCommit();
      const taken = flushUntilTaken(log);
      if (round % 2 === 1) proxy.cut();
      await replica.flush();
      failures += await taken;
    }
    expect(await subjectsOf("cut")).toEqual(recorded);
    expect(await subjectsOf("replica")).toHaveLength(120);
    expect(commits.lost()).toBe(20);
    expect(failures).toBeGreaterThanOrEqual(20);
    await Promise.all([log, replica].map((each) => each.stop(1000)));
  });

  test("keeps what is recorded while nobody answers, and writes it by itself as soon as somebody does", async () => {
    const log = startLog(throughProxy);
    await proxy.refuse();
    const recorded = Array.from({ length: 300 }, (_, number) => String(number));
    for (const subject of recorded) log.record(entry(subject, { actor: "refused" }));
    await expect.poll(() => problems).toHaveLength(1);
    expect(await subjectsOf("refused")).toEqual([]);
    await proxy.resume();
    await expect.poll(() => subjectsOf("refused")).toEqual(recorded);
    await log.stop(1000);
    expect(problems).toHaveLength(1);
  });
});
