/**
 * What is Redis's own about notices: publishing while it is away, whose notices one hears, TLS, users and their passwords,
 * and servers that are none or not as they should be. What all carriers share is in notices.test.ts.
 */
import { randomUUID } from "node:crypto";
import { createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { connect as connectTcp } from "node:net";
import { createServer as createTlsServer, getCACertificates, setDefaultCACertificates } from "node:tls";
import { pino } from "pino";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { checkRedis, openStorage } from "../../src/storage/open-storage.ts";
import type { Storage, StorageOptions } from "../../src/storage/open-storage.ts";
import type { Notices } from "../../src/notices.ts";
import { startTcpProxy } from "../fakes/tcp-proxy.ts";
import type { TcpProxy } from "../fakes/tcp-proxy.ts";
import { makeCertificate } from "../make-certificate.ts";
import { describePostgres, silentLog } from "./databases.ts";
import { askRedis, describeRedis, redisUrl } from "./redis.ts";

const open = (options: Pick<StorageOptions, "url" | "redisUrl"> & Partial<StorageOptions>) =>
  openStorage({ dataDir: "unused", log: silentLog, timeoutMs: 1500, ...options });

/** The payloads that arrive, and one "missed" for each time that some may have. */
function hear(notices: Notices, topic: string): string[] {
  const heard: string[] = [];
  notices.subscribe(topic, {
    onNotice: (payload) => void heard.push(payload),
    onMissed: () => void heard.push("missed"),
  });
  return heard;
}

const at = (port: number) => {
  const url = new URL(redisUrl);
  url.port = String(port);
  return url.href;
};

describeRedis("behind a network that breaks", (url) => {
  let proxy: TcpProxy;
  let storage: Storage;
  /** Not behind it. */
  let direct: Storage;
  /** What `direct` hears. */
  let heard: string[];
  beforeAll(async () => {
    direct = await open({ url: url(), redisUrl });
    heard = hear(direct.notices, "topic");
    await new Promise<void>((resolve) => {
      direct.notices.subscribe("topic", { onNotice: () => undefined, onMissed: resolve });
    });
  });
  beforeEach(async () => {
    heard.length = 0;
    const { hostname, port } = new URL(redisUrl);
    proxy = await startTcpProxy({ host: hostname, port: Number(port) });
    storage = await open({ url: url(), redisUrl: at(proxy.port) });
  });
  afterEach(async () => {
    await storage.close();
    await proxy.close();
  });
  afterAll(() => direct.close());

  test("a notice that cannot be sent is refused at once, and never sent later", async () => {
    await proxy.refuse();
    await expect(storage.notices.publish("topic", "lost")).rejects.toMatchObject({
      name: "StorageError",
      code: "unavailable",
      message: "Redis cannot be reached (ECONNREFUSED)",
    });
    await proxy.resume();
    await storage.notices.publish("topic", "kept");
    await expect.poll(() => heard).toEqual(["kept"]);
  });

  test("a Redis that falls silent refuses what waits for it in bounded time; the next goes over a new connection", async () => {
    await storage.notices.publish("topic", "opens the connection");
    proxy.freeze();
    const waiting = [storage.notices.publish("topic", "1"), storage.notices.publish("topic", "2")];
    for (const refused of await Promise.allSettled(waiting)) {
      expect(refused).toMatchObject({
        reason: { code: "unavailable", message: "Redis did not answer in time" },
      });
    }
    await storage.notices.publish("topic", "3");
    await expect.poll(() => heard).toEqual(["opens the connection", "3"]);
  });

  test.each([
    ["a new connection", async () => undefined],
    ["on the one there is", () => storage.notices.publish("topic", "opens the connection")],
  ])("one that never answers %s refuses in bounded time, and it is ended", async (_, before) => {
    await before();
    proxy.stall();
    await expect(storage.notices.publish("topic", "x")).rejects.toMatchObject({ code: "unavailable" });
    await proxy.resume(); // or it would not see that the connection is ended
    await expect.poll(() => proxy.connections()).toBe(0);
  });

  test("a connection that was cut is replaced by whoever publishes next", async () => {
    await storage.notices.publish("topic", "opens the connection");
    proxy.cut();
    await expect.poll(() => proxy.connections()).toBe(0);
    await storage.notices.publish("topic", "opens another");
  });

  test("all share one connection, also while it is being opened, and their order is kept", async () => {
    const payloads = Array.from({ length: 50 }, (_, n) => String(n));
    await Promise.all(payloads.map((payload) => storage.notices.publish("topic", payload)));
    expect(proxy.connections()).toBe(1);
    await expect.poll(() => heard).toEqual(payloads);
    await storage.close();
    await expect.poll(() => proxy.connections()).toBe(0);
  });

  test("a server that starts before its Redis hears from it as soon as it is there", async () => {
    await proxy.refuse();
    const early = await open({ url: url(), redisUrl: at(proxy.port) });
    const heardLate = hear(early.notices, "topic");
    expect(await early.redisHealth!()).toEqual({
      ready: false,
      detail: "redis: Redis cannot be reached (ECONNREFUSED)",
    });
    await proxy.resume();
    await expect.poll(() => heardLate).toEqual(["missed"]);
    await direct.notices.publish("topic", "1");
    await expect.poll(() => heardLate).toEqual(["missed", "1"]);
    await early.close();
  });

  describe("health", () => {
    test("is Redis's own, beside the database's", async () => {
      expect(await storage.redisHealth!()).toEqual({ ready: true, detail: "redis" });
      await proxy.refuse();
      expect(await storage.redisHealth!()).toMatchObject({ ready: false });
      expect(await storage.health()).toEqual({ ready: true, detail: "postgres" });
    });

    test("answers in bounded time when Redis does not", async () => {
      const patient = await open({ url: url(), redisUrl: at(proxy.port), timeoutMs: 60_000 });
      await patient.redisHealth!();
      proxy.freeze();
      expect(await patient.redisHealth!()).toEqual({ ready: false, detail: "redis: no answer yet" });
      await patient.close();
    });

    test("is bad while Redis answers and other replicas cannot be heard", async () => {
      const user = await makeUser("+subscribe", "+publish", "+ping", "+client|setname"); // on no channel
      const deaf = await open({ url: url(), redisUrl: user.url });
      expect(await deaf.redisHealth!()).toEqual({ ready: true, detail: "redis" });
      hear(deaf.notices, "topic");
      await expect
        .poll(() => deaf.redisHealth!())
        .toEqual({ ready: false, detail: "redis: nothing can be heard from other replicas" });
      await deaf.close();
    });
  });
});

describeRedis("two installations on one Redis", (url) => {
  describePostgres("of which one has another database", (otherUrl) => {
    test("do not hear each other; two replicas do, whatever URLs lead them to their database", async () => {
      const sameElsewhere = new URL(url());
      sameElsewhere.hostname = "localhost";
      sameElsewhere.searchParams.set("application_name", "elsewhere");
      const all = [
        await open({ url: url(), redisUrl }),
        await open({ url: sameElsewhere.href, redisUrl: `${redisUrl}/3` }),
        await open({ url: otherUrl(), redisUrl }),
      ];
      const heard = all.map(({ notices }) => hear(notices, "topic"));
      await expect.poll(() => heard).toEqual([["missed"], ["missed"], ["missed"]]);
      await all[0]!.notices.publish("topic", "ours");
      await all[2]!.notices.publish("topic", "theirs");
      await expect
        .poll(() => heard)
        .toEqual([
          ["missed", "ours"],
          ["missed", "ours"],
          ["missed", "theirs"],
        ]);
      await Promise.all(all.map((storage) => storage.close()));
    });
  });
});

test("PGlite, which one process alone has, asks nothing of Redis", async () => {
  const storage = await openStorage({ dataDir: "memory:", redisUrl: "redis://192.0.2.1", log: silentLog });
  const heard = hear(storage.notices, "topic");
  await storage.notices.publish("topic", "1");
  expect(heard).toEqual(["1"]);
  expect(storage.redisHealth).toBeUndefined();
  await storage.close();
});

const users: string[] = [];
afterAll(async () => {
  for (const name of users) await askRedis(["ACL", "DELUSER", name]);
});

/** A user of Redis who may do that and nothing else. */
async function makeUser(...rules: string[]): Promise<{ name: string; password: string; url: string }> {
  const name = `parley-test-${randomUUID()}`;
  const password = "p%:@/ü canary";
  await askRedis(["ACL", "SETUSER", name, "on", `>${password}`, "resetchannels", ...rules]);
  users.push(name);
  const url = new URL(redisUrl);
  url.username = name;
  url.password = encodeURIComponent(password);
  return { name, password, url: url.href };
}

describeRedis("users of Redis", (url) => {
  test("one who may subscribe and publish on Parley's channels, and nothing else, is enough", async () => {
    const rules = ["&parley:*", "+subscribe", "+publish", "+ping", "+client|setname"];
    const { url: redisUrl } = await makeUser(...rules);
    const storage = await open({ url: url(), redisUrl });
    const heard = hear(storage.notices, "topic");
    await expect.poll(() => heard).toEqual(["missed"]);
    await storage.notices.publish("topic", "1");
    await expect.poll(() => heard).toEqual(["missed", "1"]);
    expect(await storage.redisHealth!()).toEqual({ ready: true, detail: "redis" });
    await storage.close();
  });

  test.each([
    ["a wrong password", (user: URL) => (user.password = "canary-wrong"), "WRONGPASS"],
    ["no right to the channels", () => undefined, "NOPERM"],
  ])("one with %s is refused, with the reason and without the password", async (_, spoil, reason) => {
    const user = new URL((await makeUser("+publish", "+subscribe", "+client|setname")).url);
    spoil(user);
    const logged: string[] = [];
    const storage = await open({
      url: url(),
      redisUrl: user.href,
      log: pino({}, { write: (line: string) => void logged.push(line) }),
    });
    hear(storage.notices, "topic");
    await expect.poll(() => logged.join("")).toContain(`what they may do (${reason})`);
    const refused: unknown = await storage.notices.publish("topic", "x").catch((error: unknown) => error);
    expect(refused).toMatchObject({ name: "StorageError", code: "internal" });
    expect(JSON.stringify([logged, String(refused), (refused as Error).stack])).not.toContain("canary");
    await storage.close();
  });

  test("a password with a bare percent sign is an error at start, which does not show it", async () => {
    const bad = `redis://:canary%zz@127.0.0.1:6379`;
    const refused: unknown = await open({ url: url(), redisUrl: bad }).catch((error: unknown) => error);
    expect(refused).toMatchObject({
      code: "internal",
      message: expect.stringContaining("REDIS_URL: expected %25") as string,
    });
    expect((refused as Error).stack).not.toContain("canary");
  });
});

const certificate = makeCertificate();

describe.skipIf(certificate === undefined)("TLS (skipped without openssl)", () => {
  const { certPem, keyPem } = certificate ?? { certPem: "", keyPem: "" };
  const trusted = getCACertificates("default");
  let port: number;
  const askedFor: (string | false | null)[] = [];
  const { hostname, port: redisPort } = new URL(redisUrl);
  const server = createTlsServer({ cert: certPem, key: keyPem }, (socket) => {
    askedFor.push(socket.servername);
    const upstream = connectTcp(Number(redisPort), hostname);
    for (const one of [socket, upstream]) one.on("error", () => undefined);
    socket.pipe(upstream).pipe(socket);
    socket.on("close", () => upstream.destroy());
  });
  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    ({ port } = server.address() as AddressInfo);
  });
  afterEach(() => setDefaultCACertificates(trusted));
  afterAll(() => void server.close());

  test("to a server whose certificate is not trusted there is no connection", async () => {
    expect(await checkRedis(`rediss://localhost:${port}`, 2000)).toEqual({
      ready: false,
      detail: "redis: Redis cannot be reached (DEPTH_ZERO_SELF_SIGNED_CERT)",
    });
  });

  describeRedis("trusted", (url) => {
    test("carries notices, and tells the server which name it is asked for", async () => {
      setDefaultCACertificates([...trusted, certPem]);
      askedFor.length = 0;
      const storage = await open({ url: url(), redisUrl: `rediss://localhost:${port}` });
      const heard = hear(storage.notices, "topic");
      await expect.poll(() => heard).toEqual(["missed"]);
      await storage.notices.publish("topic", "1");
      await expect.poll(() => heard).toEqual(["missed", "1"]);
      expect(new Set(askedFor)).toEqual(new Set(["localhost"]));
      await storage.close();
    });

    test("leaves no connection behind that was given up while it was being opened", async () => {
      setDefaultCACertificates([...trusted, certPem]);
      const proxy = await startTcpProxy({ host: "127.0.0.1", port });
      proxy.stall();
      const storage = await open({
        url: url(),
        redisUrl: `rediss://localhost:${proxy.port}`,
        timeoutMs: 60_000,
      });
      hear(storage.notices, "topic");
      await expect.poll(() => proxy.connections()).toBe(1);
      await storage.close();
      await proxy.resume();
      await expect.poll(() => proxy.connections()).toBe(0);
      await proxy.close();
    });
  });
});

describe("a server that is not as it should be", () => {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket.on("error", () => undefined));
    socket.on("data", (bytes) => answer(bytes.toString(), (text) => void socket.write(text)));
  });
  let answer: (asked: string, write: (text: string) => void) => void;
  let url: string;
  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    url = `redis://:canary@127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterEach(() => {
    for (const socket of sockets) socket.destroy();
    sockets.clear();
  });
  afterAll(() => void server.close());

  test("that repeats what it was sent, as Redis does with what it does not know, has its words kept from the log", async () => {
    answer = (asked, write) =>
      write(`-ERR unknown command, with args beginning with: ${asked.replaceAll("\r\n", " ")}\r\n`.repeat(2));
    const { ready, detail } = await checkRedis(url, 2000);
    expect({ ready, detail }).toEqual({
      ready: false,
      detail: "redis: Redis did not do what it was asked (ERR)",
    });
  });

  test("that takes notices and passes none on, is no good, with the reason", async () => {
    answer = (asked, write) => {
      const channels = /\$9\r\nsubscribe\r\n\$13\r\n(.*)\r\n\$\d+\r\n(.*)\r\n/.exec(asked)?.slice(1);
      if (channels) {
        for (const [index, channel] of channels.entries())
          write(`*3\r\n$9\r\nsubscribe\r\n$${channel.length}\r\n${channel}\r\n:${index + 1}\r\n`);
      } else if (asked.includes("PUBLISH")) write(":0\r\n");
      else write("+OK\r\n".repeat(asked.split("*").length - 1));
    };
    expect(await checkRedis(url, 300)).toEqual({
      ready: false,
      detail: expect.stringContaining("does not pass them on; REDIS_URL must lead to one server") as string,
    });
  });

  test.each([
    ["speaks another protocol", "HTTP/1.1 400 Bad Request\r\n\r\n"],
    ["says nothing", ""],
  ])("that %s is no good, in bounded time, and its connection is ended", async (_, text) => {
    answer = (_, write) => {
      if (text !== "") write(text);
    };
    expect(await checkRedis(url, 300)).toMatchObject({ ready: false });
    await expect
      .poll(() => [...sockets].every((socket) => socket.destroyed || socket.readableEnded))
      .toBe(true);
  });
});
