/** Classes 11 and 37: issuers that are asked too often, and issuers whose keys cannot be had or cannot be trusted. */
import type { RequestListener } from "node:http";
import { randomBytes } from "node:crypto";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { TokenService } from "../../gen/ts/parley/token/v1/token_pb.ts";
import { sendJson, startScriptedIssuer } from "../fakes/scripted-issuer.ts";
import type { ScriptedIssuer } from "../fakes/scripted-issuer.ts";
import { transportTo } from "../e2e/speech-client.ts";
import { canary, linesWithCanary } from "./canary.ts";
import { ecdsa, fixed, makeKey, write } from "./compact-token.ts";
import type { TestKey } from "./compact-token.ts";
import { goodToken } from "./good-tokens.ts";
import { openPlaces } from "./places.ts";
import { authorizedParty, kids, oidcAudience, openWorld } from "./world.ts";

const cooldownMs = 30_000;
/** While there are no keys at all. */
const retryMs = 5_000;

interface BadIssuer {
  readonly name: string;
  readonly server: ScriptedIssuer;
  readonly key: TestKey;
}

/** What each does wrong is set before anybody asks it. `elsewhere` is where the attacker's keys are. */
const misbehaviours: readonly {
  readonly name: string;
  readonly misbehave: (issuer: ScriptedIssuer, elsewhere: () => string) => Promise<void> | void;
}[] = [
  { name: "is down", misbehave: (issuer) => issuer.stop() },
  {
    name: "redirects to the attacker",
    misbehave: answering((_, elsewhere) => ({ status: 302, location: elsewhere })),
  },
  {
    name: "redirects for good to the attacker",
    misbehave: answering((_, elsewhere) => ({ status: 308, location: elsewhere })),
  },
  {
    name: "has 5 MB of keys",
    misbehave: answering((keys) => ({ json: { keys, pad: "x".repeat(5_000_000) } })),
  },
  {
    name: "has two keys with one kid",
    misbehave: answering(([key]) => ({ json: { keys: [key, { ...makeKey("ec", kids.ec).jwk }] } })),
  },
  { name: "answers 500", misbehave: answering((keys) => ({ status: 500, json: { keys } })) },
  { name: "has a page in place of keys", misbehave: answering(() => ({ text: "<html>sign in</html>" })) },
  {
    name: "has a member twice",
    misbehave: answering((keys) => ({ text: `{"keys":[],"keys":${JSON.stringify(keys)}}` })),
  },
  { name: "does not answer", misbehave: (issuer) => void (issuer.answerKeys = () => undefined) },
];

interface KeysAnswer {
  readonly status?: number;
  readonly location?: () => string;
  readonly json?: unknown;
  readonly text?: string;
}

function answering(answer: (keys: readonly unknown[], elsewhere: () => string) => KeysAnswer) {
  return (issuer: ScriptedIssuer, elsewhere: () => string): void => {
    const { status = 200, location, json, text } = answer(issuer.keys, elsewhere);
    const listener: RequestListener = (_request, response) => {
      response.statusCode = status;
      if (location) response.setHeader("location", `${location()}/keys`);
      if (text === undefined) sendJson(response, json ?? {});
      else response.end(text);
    };
    issuer.answerKeys = listener;
  };
}

async function startBadIssuer(name: string): Promise<BadIssuer> {
  const server = await startScriptedIssuer();
  const key = makeKey("ec", kids.ec);
  server.keys = [key.jwk];
  return { name, server, key };
}

const badIssuers = await Promise.all(misbehaviours.map(({ name }) => startBadIssuer(name)));
const addresses = badIssuers.map(({ server }) => `${server.issuer}|${server.jwksUrl}`);
const good = await startBadIssuer("is good at first");
const world = await openWorld({
  env: { OIDC_ISSUERS: [`${good.server.issuer}|${good.server.jwksUrl}`, ...addresses].join() },
});
const { server, attacker } = world;
const admin = createClient(TokenService, transportTo(server.url, server.apiKey));
const places = openPlaces({
  url: server.url,
  participantToken: () => write(goodToken(world, "a transcription token of the shared secret")),
});
/** Those where a login is looked at. */
const headers = places.groups
  .flatMap((group) => group.places)
  .filter(({ travelsIn }) => travelsIn === "header");

beforeAll(async () => {
  for (const [index, { misbehave }] of misbehaviours.entries())
    await misbehave(badIssuers[index]!.server, () => attacker.url);
});
afterAll(async () => {
  places.close();
  await world.close();
  for (const { name, server: issuer } of [...badIssuers, good])
    if (name !== "is down") await issuer.stop().catch(() => undefined);
});

function login(
  { server: issuer, key }: BadIssuer,
  header: object = {},
  sign = ecdsa(key.privateKey),
): string {
  const now = Math.floor(Date.now() / 1000);
  return write({
    header: { alg: "ES256", typ: "JWT", kid: key.kid, ...header },
    claims: {
      canary,
      sub: "ada",
      iss: issuer.issuer,
      aud: oidcAudience,
      azp: authorizedParty,
      iat: now,
      exp: now + 600,
    },
    sign,
  });
}

describe("class 37: of an issuer that", () => {
  test.each(badIssuers)(
    "$name nobody is let in: UNAVAILABLE, for a good token and for the attacker's",
    async (issuer) => {
      const startedAtMs = Date.now();
      const message = "the issuer of the token does not give its keys; try again";
      for (const token of [login(issuer), login(issuer, {}, ecdsa(attacker.ec.privateKey))]) {
        for (const place of headers) {
          const { code, message: told, received } = await place.offer(token);
          expect({ code, message: told }, place.name).toEqual({ code: "unavailable", message });
          expect(linesWithCanary([received])).toEqual([]);
        }
        const validated = await admin
          .validateToken({ token })
          .catch((error: unknown) => ConnectError.from(error));
        expect(validated).toMatchObject({ code: Code.Unavailable, rawMessage: message });
      }
      const tries = 1 + Math.floor((Date.now() - startedAtMs) / retryMs);
      expect(issuer.server.asked.keys).toBeLessThanOrEqual(tries);
    },
  );

  test("is down after it gave its keys, the last good ones go on, and no other", async () => {
    const [place] = headers;
    expect(await place!.offer(login(good))).toMatchObject({ code: "ok" });
    await good.server.stop();
    expect(await place!.offer(login(good))).toMatchObject({ code: "ok" });
    for (const forged of [
      login(good, {}, ecdsa(attacker.ec.privateKey)),
      login(good, { kid: "unknown" }, ecdsa(attacker.ec.privateKey)),
      login(good, { kid: "unknown" }),
    ]) {
      expect(await place!.offer(forged)).toMatchObject({ code: "unauthenticated", message: place!.refusal });
    }
    await good.server.start();
  });
});

describe("class 11", () => {
  test("10,000 tokens with random kids make the issuer be asked once a cooldown at most", async () => {
    const { asked } = good.server;
    const before = asked.keys;
    const startedAtMs = Date.now();
    const validate = async (token: string): Promise<string> =>
      (await admin.validateToken({ token })).valid ? "ok" : "unauthenticated";
    const [grpc, ...others] = headers
      .slice(0, 4) // those that need no connection for each call
      .map((place) => async (token: string) => (await place.offer(token)).code);
    // Most of them the cheapest way.
    const ways = [...others, validate, ...Array<typeof validate>(15).fill(grpc!)];
    const signature = fixed(randomBytes(64));
    const codes = new Set<string>();
    let sent = 0;
    const sender = async () => {
      while (sent < 10_000) {
        const offer = ways[sent++ % ways.length]!;
        codes.add(await offer(login(good, { kid: randomBytes(12).toString("base64url") }, signature)));
      }
    };
    await Promise.all(Array.from({ length: 40 }, sender));
    expect([...codes]).toEqual(["unauthenticated"]);
    const cooldowns = 1 + Math.floor((Date.now() - startedAtMs) / cooldownMs);
    expect(asked.keys - before).toBeLessThanOrEqual(cooldowns);
    expect(await headers[0]!.offer(login(good))).toMatchObject({ code: "ok" });
  });
});

test("the attacker was never asked, and nothing of a token was logged", () => {
  expect(attacker.connections()).toBe(0);
  expect(linesWithCanary([login(good)])).toHaveLength(1);
  expect(server.logged.length).toBeGreaterThan(10_000);
  expect(linesWithCanary(server.logged)).toEqual([]);
});
