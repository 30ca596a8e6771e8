/** Notices: who gets them, and that whoever may have missed one is told, whatever happens to the connection. */
import { createServer } from "node:net";
import type { AddressInfo, Server } from "node:net";
import { pino } from "pino";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { openStorage } from "../../src/storage/open-storage.ts";
import { listen } from "../../src/storage/notices-postgres-connection.ts";
import type { Storage, StorageOptions } from "../../src/storage/open-storage.ts";
import { maxNoticeBytes } from "../../src/notices.ts";
import type { Notices } from "../../src/notices.ts";
import { createManualClock } from "../fakes/manual-clock.ts";
import type { ManualClock } from "../fakes/manual-clock.ts";
import { startTcpProxy } from "../fakes/tcp-proxy.ts";
import type { TcpProxy } from "../fakes/tcp-proxy.ts";
import { describePostgres, forEachDatabase, silentLog } from "./databases.ts";
import { askRedis, describeRedis, redisUrl } from "./redis.ts";

interface Ear {
  readonly heard: string[];
  missed: number;
  readonly stop: () => void;
}

function listenTo(notices: Notices, topic: string): Ear {
  const ear = {
    heard: [] as string[],
    missed: 0,
    stop: notices.subscribe(topic, {
      onNotice: (payload) => void ear.heard.push(payload),
      onMissed: () => void (ear.missed += 1),
    }),
  };
  return ear;
}

/** The same tests for each way in which notices travel. */
function forEachCarrier(
  tests: (
    name: "PGlite" | "PostgreSQL" | "Redis",
    open: (options?: Partial<StorageOptions>) => Promise<Storage>,
  ) => void,
): void {
  forEachDatabase(tests);
  describeRedis("over Redis", (url) => {
    tests("Redis", (options) =>
      openStorage({ url: url(), redisUrl, dataDir: "unused", log: silentLog, ...options }),
    );
  });
}

forEachCarrier((name, open) => {
  let storage: Storage;
  let notices: Notices;
  beforeAll(async () => void ({ notices } = storage = await open()));
  afterAll(() => storage.close());

  test("the first subscriber is told when listening begins, unless there is nothing to begin", async () => {
    const ear = listenTo(notices, "begin");
    await notices.publish("begin", "x");
    await expect.poll(() => ear.missed + ear.heard.length).toBeGreaterThan(0);
    expect(ear.missed).toBe(name === "PGlite" ? 0 : 1);
    ear.stop();
  });

  test("every subscriber of the topic gets them in order, the publisher's process too, and nobody else", async () => {
    const ears = [listenTo(notices, "a"), listenTo(notices, "a"), listenTo(notices, "b")];
    for (const payload of ["1", "2", "3"]) await notices.publish("a", payload);
    await notices.publish("b", "end");
    await expect.poll(() => ears[2]!.heard).toEqual(["end"]);
    expect(ears.map((ear) => ear.heard)).toEqual([["1", "2", "3"], ["1", "2", "3"], ["end"]]);
    for (const ear of ears) ear.stop();
  });

  test("any text arrives as it was, up to the limit", async () => {
    const ear = listenTo(notices, "text");
    const texts = [
      "",
      "\n",
      "two\nlines",
      "quotes ' \" \\ $1",
      "žluťoučký 🐎",
      "é".repeat(maxNoticeBytes / 2),
    ];
    for (const text of texts) await notices.publish("text", text);
    await expect.poll(() => ear.heard.length).toBe(texts.length);
    expect(ear.heard).toEqual(texts);
    ear.stop();
  });

  test("text that PostgreSQL cannot hold arrives the same on all", async () => {
    const ear = listenTo(notices, "odd");
    await notices.publish("odd", "a\0b\uD800c");
    await expect.poll(() => ear.heard).toEqual(["a\uFFFDb\uFFFDc"]);
    ear.stop();
  });

  test("one that is too long, or of no topic, is refused with the reason", async () => {
    await expect(notices.publish("long", "é".repeat(maxNoticeBytes / 2 + 1))).rejects.toMatchObject({
      name: "StorageError",
      code: "internal",
      message: expect.stringContaining("7902 bytes, at most 7900") as string,
    });
    for (const topic of ["", "A", "a b", "a\nb", "x".repeat(65)]) {
      await expect(notices.publish(topic, "x")).rejects.toMatchObject({ code: "internal" });
    }
    await notices.publish("x".repeat(64), "é".repeat(maxNoticeBytes / 2));
  });

  test("whoever has stopped gets nothing more, and others go on", async () => {
    const [gone, stays] = [listenTo(notices, "stop"), listenTo(notices, "stop")];
    await notices.publish("stop", "1");
    await expect.poll(() => stays.heard).toEqual(["1"]);
    gone.stop();
    gone.stop();
    await notices.publish("stop", "2");
    await expect.poll(() => stays.heard).toEqual(["1", "2"]);
    expect(gone.heard).toEqual(["1"]);
    stays.stop();
  });

  test("a subscriber that throws keeps it from nobody else", async () => {
    const stopThrowing = notices.subscribe("throw", {
      onNotice() {
        throw new Error("subscriber");
      },
      onMissed: () => undefined,
    });
    const ear = listenTo(notices, "throw");
    await notices.publish("throw", "1");
    await expect.poll(() => ear.heard).toEqual(["1"]);
    stopThrowing();
    ear.stop();
  });

  test("a closed storage publishes nothing", async () => {
    const other = await open();
    listenTo(other.notices, "closed");
    await other.close();
    await expect(other.notices.publish("closed", "x")).rejects.toMatchObject({ code: "unavailable" });
  });
});

/** What carries notices between processes. */
interface Carrier {
  readonly describe: (name: string, tests: (url: () => string) => void) => void;
  /** Where it is, of this database. */
  readonly at: (databaseUrl: string) => string;
  /** What a storage is opened with that reaches it there. */
  readonly through: (databaseUrl: string, url: string) => Pick<StorageOptions, "url" | "redisUrl">;
  /** Connections that listen for the storage behind the proxy. */
  readonly listeners: (direct: Storage, proxy: TcpProxy) => Promise<readonly string[]>;
  /** As its administrator would. */
  readonly end: (direct: Storage, listener: string) => Promise<unknown>;
}

const overPostgres: Carrier = {
  describe: describePostgres,
  at: (url) => url,
  through: (_, url) => ({ url }),
  async listeners(direct) {
    const { rows } = await direct.jobsDatabase.executeSql(
      "select pid from pg_stat_activity where datname = current_database() and application_name = 'parley notices'",
    );
    return (rows as { pid: number }[]).map(({ pid }) => String(pid));
  },
  end: (direct, pid) => direct.jobsDatabase.executeSql("select pg_terminate_backend($1::int)", [pid]),
};

const overRedis: Carrier = {
  describe: describeRedis,
  at: () => redisUrl,
  through: (url, redisUrl) => ({ url, redisUrl }),
  async listeners(_, proxy) {
    const clients = String(await askRedis(["CLIENT", "LIST", "TYPE", "pubsub"])).split("\n");
    return clients
      .filter((client) =>
        proxy.upstreamPorts().some((port) => new RegExp(` addr=\\S+:${port} `).test(client)),
      )
      .map((client) => /^id=(\d+) /.exec(client)![1]!);
  },
  end: (_, id) => askRedis(["CLIENT", "KILL", "ID", id]),
};

describe.each([
  ["PostgreSQL", overPostgres],
  ["Redis", overRedis],
])("over %s", (_, carrier) => {
  carrier.describe("two replicas", (url) => {
    test("hear each other", async () => {
      const open = () =>
        openStorage({ ...carrier.through(url(), carrier.at(url())), dataDir: "unused", log: silentLog });
      const replicas = [await open(), await open()];
      const ears = replicas.map((replica) => listenTo(replica.notices, "both"));
      await expect.poll(() => ears.map((ear) => ear.missed)).toEqual([1, 1]);
      await replicas[0]!.notices.publish("both", "from 0");
      await expect.poll(() => ears.map((ear) => ear.heard)).toEqual([["from 0"], ["from 0"]]);
      await replicas[1]!.notices.publish("both", "from 1");
      await expect.poll(() => ears.map((ear) => ear.heard.at(-1))).toEqual(["from 1", "from 1"]);
      await Promise.all(replicas.map((replica) => replica.close()));
    });
  });

  carrier.describe("the connection that listens", (url) => listeningTests(carrier, url));
});

function listeningTests(carrier: Carrier, url: () => string): void {
  let proxy: TcpProxy;
  let clock: ManualClock;
  /** Listens through the proxy. */
  let storage: Storage;
  /** Does not. */
  let direct: Storage;
  let ear: Ear;
  const logged: string[] = [];
  beforeAll(async () => {
    const target = new URL(carrier.at(url()));
    direct = await openStorage({
      ...carrier.through(url(), target.href),
      dataDir: "unused",
      log: silentLog,
    });
    proxy = await startTcpProxy({ host: target.hostname, port: Number(target.port) });
  });
  beforeEach(async () => {
    clock = createManualClock();
    const through = new URL(carrier.at(url()));
    through.port = String(proxy.port);
    storage = await openStorage({
      ...carrier.through(url(), through.href),
      dataDir: "unused",
      log: pino({}, { write: (line: string) => void logged.push((JSON.parse(line) as { msg: string }).msg) }),
      timeoutMs: 500,
      clock,
    });
    ear = listenTo(storage.notices, "topic");
    await untilMissed(1); // on a machine that is busy not at the first attempt
    logged.length = 0;
  });
  afterEach(async () => {
    await proxy.resume();
    await storage.close();
  });
  afterAll(async () => {
    await proxy.close();
    await direct.close();
  });

  /** Lets waits between attempts pass until it listens again. */
  async function untilMissed(times: number): Promise<void> {
    await expect
      .poll(async () => {
        await clock.advance(1000);
        return ear.missed;
      })
      .toBe(times);
  }

  async function hears(payload: string): Promise<void> {
    await direct.notices.publish("topic", payload);
    await expect.poll(() => ear.heard.at(-1)).toBe(payload);
  }

  const listeners = () => carrier.listeners(direct, proxy);

  test("is one, whatever the number of subscriptions, and goes with the storage", async () => {
    for (let n = 0; n < 5; n++) listenTo(storage.notices, `topic-${n}`);
    await hears("1");
    expect(await listeners()).toHaveLength(1);
    await storage.close();
    await expect.poll(async () => (await listeners()).length).toBe(0);
  });

  test("that is cut is replaced, and subscribers are told that they may have missed something", async () => {
    await hears("before");
    await proxy.refuse();
    await direct.notices.publish("topic", "while it was away");
    await clock.advance(60_000);
    expect(ear.missed).toBe(1);
    await proxy.resume();
    await untilMissed(2);
    await hears("after");
    expect(ear.heard).toEqual(["before", "after"]);
    expect(await listeners()).toHaveLength(1);
  });

  test("that its administrator ends is replaced", async () => {
    const [listener] = await listeners();
    await carrier.end(direct, listener!);
    await untilMissed(2);
    await hears("after");
  });

  test("that falls silent is found out by its check, and replaced", async () => {
    await hears("before");
    proxy.stall();
    await direct.notices.publish("topic", "lost");
    await clock.advance(15_000); // the check is asked, and never answered
    await expect.poll(() => logged).toEqual(["cannot hear other replicas; trying again until it works"]);
    // The stalled connections stay silent for ever; new ones work.
    await proxy.refuse();
    await proxy.resume();
    await untilMissed(2);
    await hears("after");
    expect(ear.heard).toEqual(["before", "after"]);
    expect(logged.at(-1)).toBe("listens to other replicas again");
  });

  test("that is checked and found well is kept", async () => {
    const before = await listeners();
    for (let n = 0; n < 4; n++) {
      await clock.advance(15_000);
      await expect.poll(() => clock.pending()).toBe(1); // the next check is set once this one is answered
    }
    await hears("after");
    expect(await listeners()).toEqual(before);
    expect(ear.missed).toBe(1);
  });

  describe("closing", () => {
    test("while its server is away waits for no attempt", async () => {
      await proxy.refuse();
      await clock.advance(0);
      await storage.close();
      await proxy.resume();
      expect(await listeners()).toHaveLength(0);
    });

    test("while an attempt hangs ends the attempt", async () => {
      proxy.stall();
      await clock.advance(15_000);
      await storage.close();
    });
  });
}

test("a connection that gets no notices, as behind a pooler in transaction mode, is no good, with the reason", async () => {
  const pooler = await startDeafPostgres();
  const connection = await listen({
    url: `postgres://user@127.0.0.1:${pooler.port}/any`,
    channel: "parley",
    clock: createManualClock(),
    timeoutMs: 5000,
    onText: () => undefined,
    signal: new AbortController().signal,
  });
  await expect(connection.check()).rejects.toMatchObject({
    name: "StorageError",
    message: expect.stringContaining("a pooler in session mode") as string,
  });
  await connection.close();
  pooler.server.close();
});

/** Speaks as much of PostgreSQL's protocol as it takes to say yes to everything, and passes no notice on. */
async function startDeafPostgres(): Promise<{ server: Server; port: number }> {
  const message = (type: string, body: Uint8Array) => {
    const length = Buffer.alloc(4);
    length.writeInt32BE(4 + body.length);
    return Buffer.concat([Buffer.from(type), length, body]);
  };
  const ready = message("Z", Buffer.from("I"));
  const server = createServer((socket) => {
    socket.once("data", () => {
      socket.write(Buffer.concat([message("R", Buffer.alloc(4)), ready]));
      socket.on("data", () => socket.write(Buffer.concat([message("C", Buffer.from("NOTIFY\0")), ready])));
    });
    socket.on("error", () => undefined);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { server, port: (server.address() as AddressInfo).port };
}
