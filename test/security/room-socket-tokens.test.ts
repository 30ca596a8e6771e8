/**
 * The bad tokens at the one place that takes tokens of the SFU: the URL of a WebSocket that shows a room's captions. The SFU
 * itself goes without issuer and audience; so classes that are about those, or about who is named, are not of this place.
 */
import { afterAll, describe, expect, test } from "vitest";
import { linesWithCanary, canary } from "./canary.ts";
import { hmac, write } from "./compact-token.ts";
import { goodToken, goodTokenNames, room } from "./good-tokens.ts";
import type { GoodToken } from "./good-tokens.ts";
import { hostileClasses } from "./hostile-tokens.ts";
import { badInQuery, fitsQuery, openOldSocket, socketPaths } from "./places.ts";
import { jwtIssuer, openWorld } from "./world.ts";

const world = await openWorld();
afterAll(() => world.close());

const offer = (token: string | undefined) =>
  openOldSocket(new URL(socketPaths.room, world.server.url), token);
const bad = { code: "unauthenticated", message: badInQuery };

function sfuToken(): GoodToken {
  const now = Math.floor(Date.now() / 1000);
  return {
    name: "a token of the SFU",
    kind: "participant",
    userId: "ada",
    header: { alg: "HS256", typ: "JWT" },
    claims: {
      canary,
      user_id: "ada",
      room,
      user_type: "guest",
      iss: jwtIssuer,
      iat: now,
      nbf: now,
      exp: now + 3600,
    },
    sign: hmac(world.secrets.sfu),
  };
}

test("a token of the SFU is let in; none, an API key and every other kind of token is not", async () => {
  expect(await offer(write(sfuToken()))).toMatchObject({ code: "ok" });
  expect(await offer(undefined)).toMatchObject(bad);
  expect(await offer(world.server.apiKey)).toMatchObject(bad);
  for (const name of goodTokenNames)
    expect(await offer(write(goodToken(world, name))), name).toMatchObject(bad);
});

const ofForm = hostileClasses.filter(({ number }) => number <= 24);
describe.each(ofForm)("class $number: $title", (hostileClass) => {
  test("is 401 before the upgrade, whatever is wrong, and tells nothing of the token", async () => {
    const hostile = (await hostileClass.make(sfuToken(), world)).filter(({ token }) => fitsQuery(token));
    for (const { name, token } of hostile) {
      const { code, message, received } = await offer(token);
      expect({ code, message }, name).toEqual(bad);
      expect(linesWithCanary([received])).toEqual([]);
    }
  });
});

test("nothing of a token was logged, and the attacker was never asked", () => {
  expect(world.server.logged.length).toBeGreaterThan(100);
  expect(linesWithCanary(world.server.logged)).toEqual([]);
  expect(world.attacker.connections()).toBe(0);
});
