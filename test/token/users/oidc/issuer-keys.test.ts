/** How seldom an issuer is asked for its keys, what is not taken from it, and what goes on meanwhile. */
import type { RequestListener } from "node:http";
import { gzipSync } from "node:zlib";
import { describe, expect, onTestFinished, test } from "vitest";
import { sendJson, startScriptedIssuer } from "../../../fakes/scripted-issuer.ts";
import { settle } from "../../../fakes/manual-clock.ts";
import { ecKey, signOidc } from "./make-oidc-token.ts";
import type { TestKey } from "./make-oidc-token.ts";
import { openOidcUsers } from "./open-oidc-users.ts";

const audience = "https://parley.example";
const coolMs = 30_000;
const retryMs = 5_000;
const refreshMs = 600_000;
const quietMs = 1_200_000;
const dayMs = 86_400_000;

const key = ecKey("k1");
const other = ecKey("k2");

/** An issuer with one key, and a verifier that has asked nobody yet. */
async function open({ jwksUrl = false } = {}) {
  const issuer = await startScriptedIssuer();
  onTestFinished(() => issuer.stop());
  issuer.keys = [key.jwk];
  const issuers = [{ issuer: issuer.issuer, ...(jwksUrl && { jwksUrl: issuer.jwksUrl }) }];
  const opened = openOidcUsers({ issuers, audience });
  const token = ({ privateKey, kid }: TestKey = key, names: { readonly kid?: string } = { kid }) => {
    const now = Math.floor(Date.now() / 1000);
    const claims = { iss: issuer.issuer, sub: "ada", aud: audience, iat: now, exp: now + 3600 };
    return signOidc(privateKey, { alg: "ES256", ...names }, claims);
  };
  const health = () => opened.users.health()[0]!;
  return { issuer, token, health, ...opened };
}

/** Until the fetch in the background has come to an end. */
const problemOf = (health: () => { problem?: string }) => expect.poll(() => health().problem);

describe("class 11: keys that are not among the known ones", () => {
  test("10,000 tokens with as many kids cost one fetch a cooldown, and the good go on", async () => {
    const { issuer, token, verdict, clock } = await open();
    expect(await verdict(token())).toBe("ok");
    const [, payload, signature] = token().split(".");
    const flood = async () => {
      const verdicts = await Promise.all(
        Array.from({ length: 10_000 }, (_, index) => {
          const head = Buffer.from(JSON.stringify({ alg: "ES256", kid: `${clock.now()}-${index}` }));
          return verdict(`${head.toString("base64url")}.${payload}.${signature}`);
        }),
      );
      expect(new Set(verdicts)).toEqual(new Set(["signature"]));
      expect(await verdict(token())).toBe("ok");
    };
    await flood();
    expect(issuer.asked).toEqual({ keys: 1, discovery: 1, other: 0 });
    for (let cooldown = 2; cooldown <= 3; cooldown++) {
      await clock.advance(coolMs);
      await flood();
      expect(issuer.asked).toEqual({ keys: cooldown, discovery: 1, other: 0 });
    }
  });

  test("nor more while the issuer fails, or before it ever answered", async () => {
    const { issuer, token, verdict, clock } = await open({ jwksUrl: true });
    issuer.answerKeys = (_, response) => void response.writeHead(503).end();
    const flood = async (code: string) => {
      const verdicts = await Promise.all(
        Array.from({ length: 1000 }, (_, index) => verdict(token(other, { kid: `kid-${index}` }))),
      );
      expect(new Set(verdicts)).toEqual(new Set([code]));
    };
    await flood("unavailable");
    await flood("unavailable");
    expect(issuer.asked.keys).toBe(1);
    await clock.advance(retryMs - 1);
    await flood("unavailable");
    expect(issuer.asked.keys).toBe(1);
    issuer.answerKeys = undefined;
    await clock.advance(1);
    await flood("signature");
    expect(issuer.asked.keys).toBe(2);
    issuer.answerKeys = (_, response) => void response.writeHead(503).end();
    await clock.advance(coolMs);
    await flood("signature");
    await flood("signature");
    await clock.advance(coolMs - 1);
    await flood("signature");
    expect(issuer.asked.keys).toBe(3);
    expect(await verdict(token())).toBe("ok");
  });

  test("a token without kid, or one that is known and does not fit, is no reason to ask again and again", async () => {
    const { issuer, token, verdict, clock } = await open();
    expect(await verdict(token())).toBe("ok");
    await clock.advance(coolMs);
    expect(await verdict(token(other, { kid: "k1" }))).toBe("signature");
    expect(issuer.asked.keys).toBe(1);
    const nameless = signOidc(other.privateKey, { alg: "ES256" }, { iss: issuer.issuer });
    for (let call = 0; call < 10; call++) expect(await verdict(nameless)).toBe("signature");
    expect(issuer.asked.keys).toBe(2);
  });

  test.each([
    ["its key set does not name it", (kid: string) => ({ kid })],
    ["nothing names it", () => ({})],
  ])("a new key gets in although %s", async (_, names) => {
    const { issuer, token, verdict, clock } = await open();
    issuer.keys = [{ ...key.jwk, kid: undefined }];
    expect(await verdict(token(key, names("k1")))).toBe("ok");
    issuer.keys = [{ ...other.jwk, kid: undefined }];
    await clock.advance(coolMs);
    expect(await verdict(token(other, names("k2")))).toBe("ok");
    expect(await verdict(token(key, names("k1")))).toBe("signature");
  });
});

describe("keys that are old", () => {
  test("are fetched again in the background, and nobody waits", async () => {
    const { issuer, token, verdict, clock } = await open();
    expect(await verdict(token())).toBe("ok");
    let answer: (() => void) | undefined;
    issuer.answerKeys = (_, response) => {
      answer = () => sendJson(response, { keys: [other.jwk] });
    };
    await clock.advance(refreshMs - 1);
    expect(await verdict(token())).toBe("ok");
    await settle();
    expect(issuer.asked.keys).toBe(1);
    await clock.advance(1);
    for (let call = 0; call < 10; call++) expect(await verdict(token())).toBe("ok");
    await expect.poll(() => answer).toBeDefined();
    expect(await verdict(token())).toBe("ok");
    const waiting = verdict(token(other)); // of whom the answer is not there yet
    answer!();
    expect(await waiting).toBe("ok");
    expect(await verdict(token())).toBe("signature");
    expect(issuer.asked.keys).toBe(2);
  });

  test("are not trusted unasked after a quiet time, and still do where the issuer does not answer", async () => {
    const { issuer, token, verdict, clock } = await open();
    expect(await verdict(token())).toBe("ok");
    await clock.advance(quietMs);
    issuer.keys = [other.jwk];
    expect(await Promise.all([verdict(token()), verdict(token())])).toEqual(["signature", "signature"]);
    expect(await verdict(token(other))).toBe("ok");
    expect(issuer.asked.keys).toBe(2);
    await clock.advance(quietMs);
    await issuer.stop();
    expect(await verdict(token(other))).toBe("ok");
    await issuer.start();
  });

  test("are taken for old when the clock is set back, and none waits for it to catch up", async () => {
    const { issuer, token, clock } = await open();
    let behindMs = 0;
    const shifted = openOidcUsers({
      issuers: [{ issuer: issuer.issuer }],
      audience,
      clock: { ...clock, now: () => clock.now() - behindMs },
    });
    expect(await shifted.verdict(token())).toBe("ok");
    behindMs = 2 * dayMs;
    issuer.keys = [other.jwk];
    expect(await shifted.verdict(token(other))).toBe("ok");
  });
});

const answers: readonly [string, RequestListener, string][] = [
  ["an error", (_, response) => response.writeHead(500).end(), "(HTTP 500)"],
  ["nothing", (_, response) => response.writeHead(204).end(), "(HTTP 204)"],
  ["a page", (_, response) => response.end("<html></html>"), "is not strict JSON"],
  [
    "no UTF-8",
    (_, response) => response.end(Buffer.from('{"keys":[],"x":"\xff"}', "latin1")),
    "is not strict JSON",
  ],
  ["half of it", (_, response) => response.end('{"keys":['), "is not strict JSON"],
  ["brackets without end", (_, response) => response.end("[".repeat(200_000)), "is not strict JSON"],
  ["a list", (_, response) => sendJson(response, [key.jwk]), "is none"],
  ["null", (_, response) => sendJson(response, null), "is none"],
  ["no list of keys", (_, response) => sendJson(response, { keys: { 0: key.jwk } }), "is none"],
  ["keys that are no objects", (_, response) => sendJson(response, { keys: [key.jwk, "x"] }), "is none"],
  ["65 keys", (_, response) => sendJson(response, { keys: Array(65).fill({ kty: "oct" }) }), "more than 64"],
  [
    "two keys with one kid",
    (_, response) => sendJson(response, { keys: [key.jwk, { ...other.jwk, kid: key.kid }] }),
    "two keys with one kid",
  ],
  [
    "two sets in one",
    (_, response) => response.end(`{"keys":[],"keys":[${JSON.stringify(other.jwk)}]}`),
    "is not strict JSON",
  ],
  [
    "5 MB",
    (_, response) => sendJson(response, { keys: [key.jwk], pad: "x".repeat(5_000_000) }),
    "is larger than 256 KiB",
  ],
  [
    "5 MB in a few kilobytes",
    (_, response) => {
      response.setHeader("content-encoding", "gzip");
      response.end(gzipSync(JSON.stringify({ keys: [key.jwk], pad: "x".repeat(5_000_000) })));
    },
    "is larger than 256 KiB",
  ],
  ["a hang-up", (request) => request.socket.destroy(), "cannot be fetched ("],
  [
    "a hang-up in the middle",
    (request, response) => {
      response.setHeader("content-length", 1000);
      response.write('{"keys":', () => request.socket.destroy());
    },
    "cannot be fetched (",
  ],
];

describe.each(answers)("class 37: an issuer that answers with %s", (_, answer, problem) => {
  test("lets nobody in who was not known, and keeps the last good keys", async () => {
    const { issuer, token, verdict, health, clock, problems } = await open();
    issuer.answerKeys = answer;
    expect(await verdict(token())).toBe("unavailable");
    expect(health()).toMatchObject({ keyCount: 0, problem: expect.stringContaining(problem) as string });
    issuer.answerKeys = undefined;
    await clock.advance(retryMs);
    expect(await verdict(token())).toBe("ok");
    expect(health()).not.toHaveProperty("problem");
    issuer.answerKeys = answer;
    await clock.advance(refreshMs);
    expect(await verdict(token())).toBe("ok");
    await problemOf(health).toContain(problem);
    expect(await verdict(token())).toBe("ok");
    expect(await verdict(token(other))).toBe("signature");
    expect(problems).toHaveLength(2);
    expect(JSON.stringify([problems, health().problem])).not.toContain(key.jwk.x);
    expect(health().problem).not.toContain("127.0.0.1"); // health is for anybody
  });
});

test("class 37: of a row of like failures the first is told, and of the next row again", async () => {
  const { issuer, token, verdict, clock, problems } = await open({ jwksUrl: true });
  const fail = (status: number): RequestListener => {
    return (_, response) => response.writeHead(status).end();
  };
  const told: string[] = [];
  for (const answer of [fail(500), fail(500), fail(502), fail(502), undefined, fail(502)]) {
    issuer.answerKeys = answer;
    await verdict(token(other));
    told.push(
      problems
        .splice(0)
        .join()
        .replace(/.*HTTP /, ""),
    );
    await clock.advance(coolMs);
  }
  expect(told).toEqual(["500)", "", "502)", "", "", "502)"]);
});

test("class 37: 5 MB are not read to their end", async () => {
  const { issuer, token, verdict } = await open({ jwksUrl: true });
  const { promise: hungUp, resolve } = Promise.withResolvers<number>();
  issuer.answerKeys = (_, response) => {
    let sent = 0;
    const send = () => {
      sent += 65_536;
      response.write("x".repeat(65_536), (error) => (error ? resolve(sent) : send()));
    };
    response.on("close", () => resolve(sent));
    response.write('{"keys":[],"pad":"');
    send();
  };
  expect(await verdict(token())).toBe("unavailable");
  expect(await hungUp).toBeGreaterThan(0); // it would have gone on for ever
});

describe("class 37: a redirection is not followed", () => {
  test.each([301, 302, 303, 307, 308])("HTTP %i", async (status) => {
    const { issuer, token, verdict, health } = await open();
    const elsewhere = await startScriptedIssuer();
    onTestFinished(() => elsewhere.stop());
    elsewhere.keys = [key.jwk];
    const redirect: RequestListener = (_, response) =>
      response.writeHead(status, { location: elsewhere.jwksUrl }).end();
    issuer.answerKeys = redirect;
    expect(await verdict(token())).toBe("unavailable");
    expect(health().problem).toContain(`(HTTP ${status}, a redirection)`);
    expect(elsewhere.asked).toEqual({ keys: 0, discovery: 0, other: 0 });
  });
});

describe("class 37: an issuer that is slow", () => {
  test.each(["before its answer", "in the middle of it"])("is given up after 5 s, %s", async (when) => {
    const { issuer, token, verdict, health, clock } = await open({ jwksUrl: true });
    issuer.answerKeys = (_, response) => {
      if (when !== "before its answer") response.write('{"keys":[');
    };
    const waiting = Array.from({ length: 5 }, () => verdict(token()));
    await expect.poll(() => issuer.asked.keys).toBe(1);
    await clock.advance(4_999);
    expect(health()).not.toHaveProperty("problem");
    await clock.advance(1);
    expect(await Promise.all(waiting)).toEqual(Array(5).fill("unavailable"));
    expect(health().problem).toBe("its key set did not come within 5 s");
    // The next one waits until it is asked again, and not for an answer that will not come.
    expect(await verdict(token())).toBe("unavailable");
    expect(issuer.asked.keys).toBe(1);
  });

  test("and is not waited for by whoever closes the server", async () => {
    const { issuer, token, users, verdict, problems, clock } = await open({ jwksUrl: true });
    issuer.answerKeys = () => undefined;
    const waiting = verdict(token());
    await expect.poll(() => issuer.asked.keys).toBe(1);
    users.close();
    expect(await waiting).toBe("unavailable");
    expect(problems).toEqual([]);
    expect(clock.pending()).toBe(0);
    await clock.advance(coolMs);
    expect(await verdict(token())).toBe("unavailable");
    expect(issuer.asked.keys).toBe(1);
  });
});

describe("discovery", () => {
  test.each<[string, Record<string, unknown>, string]>([
    ["another issuer", { issuer: "https://evil.example" }, "names another issuer"],
    ["no issuer", { issuer: undefined }, "names another issuer"],
    ["no jwks_uri", { jwks_uri: undefined }, "no jwks_uri"],
    ["a jwks_uri that is a path", { jwks_uri: "/keys" }, "no jwks_uri"],
    ["a jwks_uri that is a file", { jwks_uri: "file:///etc/passwd" }, "no jwks_uri"],
    ["jwks_uris", { jwks_uri: ["http://127.0.0.1:1/keys"] }, "no jwks_uri"],
  ])("that names %s is not taken", async (_, discovery, problem) => {
    const { issuer, token, verdict, health } = await open();
    issuer.discovery = discovery;
    expect(await verdict(token())).toBe("unavailable");
    expect(health().problem).toContain(problem);
    expect(issuer.asked.keys).toBe(0);
  });

  test.each(answers.filter(([name]) => !/kid|keys/.test(name)))(
    "that answers with %s is not taken",
    async (_, answer) => {
      const { issuer, token, verdict, health } = await open();
      issuer.answerDiscovery = answer;
      expect(await verdict(token())).toBe("unavailable");
      expect(health().problem).toContain("its discovery document");
      expect(issuer.asked.keys).toBe(0);
    },
  );

  test("is asked again when the keys are, and its last good answer holds while it fails", async () => {
    const { issuer, token, verdict, health, clock, problems } = await open();
    expect(await verdict(token())).toBe("ok");
    issuer.answerDiscovery = (_, response) => void response.writeHead(502).end();
    issuer.keys = [other.jwk];
    await clock.advance(refreshMs);
    expect(await verdict(token())).toBe("ok");
    await problemOf(health).toBe("its discovery document cannot be fetched (HTTP 502)");
    await expect.poll(() => verdict(token(other))).toBe("ok");
    expect(problems).toHaveLength(1);
    issuer.answerDiscovery = undefined;
    await clock.advance(refreshMs);
    expect(await verdict(token(other))).toBe("ok");
    await problemOf(health).toBeUndefined();
    await expect.poll(() => issuer.asked).toMatchObject({ keys: 3, discovery: 3 });
  });

  test("is asked at once when the keys are not where they were", async () => {
    const { issuer, token, verdict, health, clock } = await open();
    const moved = await startScriptedIssuer();
    onTestFinished(() => moved.stop());
    moved.keys = [other.jwk];
    expect(await verdict(token())).toBe("ok");
    issuer.answerKeys = (_, response) => void response.writeHead(404).end();
    issuer.discovery = { jwks_uri: moved.jwksUrl };
    await clock.advance(coolMs);
    expect(await verdict(token(other))).toBe("signature");
    expect(health().problem).toContain("(HTTP 404)");
    await clock.advance(coolMs);
    expect(await verdict(token(other))).toBe("ok");
    expect(issuer.asked).toMatchObject({ keys: 2, discovery: 2 });
  });
});

describe("a key set", () => {
  test("without a key that can be used is believed, and an operator is told", async () => {
    const { issuer, token, verdict, health, clock, problems } = await open();
    expect(await verdict(token())).toBe("ok");
    issuer.keys = [];
    await clock.advance(refreshMs);
    await verdict(token());
    await expect.poll(() => verdict(token())).toBe("algorithm");
    expect(health()).toMatchObject({ keyCount: 0, problem: "its key set has no key that can be used" });
    expect(problems).toEqual([`${issuer.issuer}: its key set has no key that can be used`]);
    issuer.keys = [key.jwk];
    await clock.advance(coolMs);
    expect(await verdict(token())).toBe("ok");
    expect(health()).not.toHaveProperty("problem");
  });

  test("of one issuer that is away does not keep others out", async () => {
    const { issuer, token } = await open();
    const away = await startScriptedIssuer();
    await away.stop();
    const { verdict } = openOidcUsers({
      issuers: [{ issuer: away.issuer }, { issuer: issuer.issuer }],
      audience,
    });
    expect(await verdict(token())).toBe("ok");
    const ofAway = signOidc(key.privateKey, { alg: "ES256", kid: "k1" }, { iss: away.issuer });
    expect(await verdict(ofAway)).toBe("unavailable");
  });
});
