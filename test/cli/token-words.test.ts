/** What `parley token inspect` says of claims and of dangers, without a process for each. */
import { describe, expect, test } from "vitest";
import { explainClaims, explainHeader } from "../../src/cli/inspect/explain-claims.ts";
import { findDangers } from "../../src/cli/inspect/find-dangers.ts";
import type { LookedAtToken } from "../../src/cli/inspect/find-dangers.ts";
import { now, nowMs } from "../token/make-token.ts";

const lines = (claims: Record<string, unknown>) =>
  explainClaims(claims, nowMs).map(({ name, value, meaning }) => `${name} | ${value} | ${meaning}`);

describe("claims are explained", () => {
  test("with times as a reader has them", () => {
    expect(lines({ exp: now + 300, nbf: now - 40, iat: now - 0.5 })).toEqual([
      `exp | ${now + 300} | good until 2026-01-02T03:09:05Z, in 5 min`,
      `nbf | ${now - 40} | good from 2026-01-02T03:03:25Z, 40 s ago`,
      `iat | ${now - 0.5} | made 2026-01-02T03:04:04Z, less than 1 s ago`,
    ]);
    expect(lines({ exp: 1e300 })).toEqual(["exp | 1e+300 | good until no time that there is"]);
    expect(lines({ exp: "soon" })).toEqual(["exp | soon | good until"]);
  });

  test("one by one where they hold others", () => {
    expect(lines({ video: { roomJoin: true, canPublishSources: ["camera"], canFly: 1 } })).toEqual([
      "video |  | what it grants on LiveKit",
      "video.roomJoin | true | to join the room",
      'video.canPublishSources | ["camera"] | to publish these only',
      "video.canFly | 1 | ",
    ]);
  });

  test("in one line each, which no terminal obeys", () => {
    const [line] = lines({ "evil\u001b[2J": "a\nb\u0007\u009b" });
    expect(line).toBe("evil?[2J | a?b?? | ");
    expect(lines({ long: "😀".repeat(200) })[0]).toBe(`long | ${"😀".repeat(160)}… | `);
    expect(lines({ deep: { a: { b: { c: { d: 1 } } } } })).toEqual(['deep.a.b | {"c":{"d":1}} | ']);
    expect(lines(JSON.parse('{"__proto__":1,"constructor":2}') as Record<string, unknown>)).toEqual([
      "__proto__ | 1 | ",
      "constructor | 2 | ",
    ]);
  });

  test("and the header too", () => {
    expect(explainHeader({ alg: "RS256", jku: "https://evil.example.com" })).toEqual([
      { name: "alg", value: "RS256", meaning: "how it is signed" },
      {
        name: "jku",
        value: "https://evil.example.com",
        meaning: expect.stringContaining("nobody may trust") as string,
      },
    ]);
  });
});

describe("of dangers", () => {
  const good = { iat: now, exp: now + 3600 };
  const dangers = (token: Partial<LookedAtToken>) =>
    findDangers({ header: { alg: "HS256" }, claims: good, ...token }, nowMs).join("\n");

  test("an ordinary token has none", () => {
    expect(dangers({})).toBe("");
    const context = { user: { moderator: "true", affiliation: "owner" } };
    expect(
      dangers({ kind: "jitsi", claims: { ...good, room: "talk", sub: "x", moderator: true, context } }),
    ).toBe("");
  });

  test.each<[string, Partial<LookedAtToken>, RegExp]>([
    ["no signature", { header: { alg: "nOnE" } }, /not signed/],
    ["no algorithm", { header: {} }, /not signed/],
    ["a key of its own", { header: { alg: "RS256", jwk: {}, x5u: "" } }, /brings a key.*\(jwk, x5u\)/],
    ["no end", { claims: {} }, /no exp/],
    ["a far end", { claims: { iat: now, exp: now + 30 * 86_400 } }, /good for 30 days/],
    ["a list of audiences", { claims: { ...good, aud: ["jitsi"] } }, /aud is a list/],
    [
      "administration",
      { claims: { ...good, video: { room: "r", roomAdmin: true, roomRecord: true } } },
      /administers: roomRecord, roomAdmin/,
    ],
    ["administration of no room", { claims: { ...good, video: { roomAdmin: true } } }, /names none/],
    ["a recording", { claims: { ...good, video: {}, roomConfig: { egress: {} } } }, /records the room/],
    ["every meeting", { kind: "jitsi", claims: { ...good, room: "*" } }, /opens every room/],
    [
      "a pattern",
      { kind: "jitsi", claims: { ...good, context: { room: { regex: "true" } } } },
      /is a pattern/,
    ],
    ["every tenant", { kind: "jitsi", claims: { ...good, sub: "*" } }, /every tenant/],
    [
      "two opinions on the moderator",
      { kind: "jitsi", claims: { ...good, moderator: true } },
      /depends on the plug-in/,
    ],
    ["a null", { kind: "jitsi", claims: { ...good, context: { user: { avatar: null } } } }, /holds a null/],
  ])("%s is one", (_, token, danger) => {
    expect(dangers(token)).toMatch(danger);
  });
});
