/**
 * Prosody's rules for a token, said again as a table of cases, in the order of its own checks (jitsi-meet's
 * luajwtjitsi.lib.lua, token/util.lib.lua, mod_presence_identity). Tokens are made by hand.
 */
import { createPrivateKey, createSign, generateKeyPairSync } from "node:crypto";
import { describe, expect, test } from "vitest";
import { issueJitsiToken } from "../../../../src/token/targets/jitsi/issue-token.ts";
import { jitsiPrivateKey, jitsiSecretKey } from "../../../../src/token/targets/jitsi/jitsi-settings.ts";
import type { JitsiSettings } from "../../../../src/token/targets/jitsi/jitsi-settings.ts";
import { judgeJitsiToken } from "../../../../src/token/targets/jitsi/judge-token.ts";
import { privilegesOf } from "../../../../src/token/targets/jitsi/choose-privileges.ts";
import type { TokenQuestion, Verdict } from "../../../../src/token/targets/verdict.ts";
import { base64url, header, makeToken, now, nowMs, without } from "../../make-token.ts";

const secret = "a-jitsi-secret-of-32-bytes-at-least!";
const settings: JitsiSettings = { domain: "meet.example.com", appId: "app", key: jitsiSecretKey(secret) };
const claims = {
  aud: "jitsi",
  iss: "app",
  sub: "meet.example.com",
  room: "talk",
  nbf: now - 10,
  exp: now + 60,
  moderator: false,
  context: { user: { id: "ada", name: "Ada", moderator: "false", affiliation: "member" }, group: "team" },
};

const sign = (payload: unknown, head: unknown = header) => makeToken(payload, head, secret);
const judge = (token: string, question: TokenQuestion = {}, of = settings, atMs = nowMs): Verdict =>
  judgeJitsiToken(token, question, of, atMs);
const withClaims = (changes: object) => sign({ ...claims, ...changes });
const withContext = (changes: object) => withClaims({ context: { ...claims.context, ...changes } });

type Case = [name: string, token: string, reason: Verdict["reason"], question?: TokenQuestion];

const room = { roomName: "talk" };

const cases: Case[] = [
  ["a good token", sign(claims), "ok"],
  ["a good token, for its room", sign(claims), "ok", room],
  ["a token that is none", "nonsense", "malformed"],
  ["padding", `${sign(claims)}=`, "malformed"],

  ["no typ", sign(claims, { alg: "HS256" }), "malformed"],
  ["typ in lower case", sign(claims, { alg: "HS256", typ: "jwt" }), "malformed"],
  ["alg none", sign(claims, { alg: "none", typ: "JWT" }), "algorithm"],
  ["alg HS512", sign(claims, { alg: "HS512", typ: "JWT" }), "algorithm"],
  ["no alg", sign(claims, { typ: "JWT" }), "algorithm"],
  ["a header that brings a key, which is not looked at", sign(claims, { ...header, jwk: {} }), "ok"],
  ["another secret", makeToken(claims, header, "another-secret-of-32-bytes-at-least!!"), "signature"],

  ["exp just passed", withClaims({ exp: now }), "expired"],
  ["exp in a second", withClaims({ exp: now + 1 }), "ok"],
  ["no exp", sign(without(claims, "exp")), "ok"],
  ["exp false, which is as good as none", withClaims({ exp: false }), "ok"],
  ["exp null", withClaims({ exp: null }), "claim"],
  ["exp in a string", withClaims({ exp: String(now + 60) }), "claim"],
  ["nbf now", withClaims({ nbf: now }), "ok"],
  ["nbf in a second", withClaims({ nbf: now + 1 }), "not-yet-valid"],
  ["nbf null", withClaims({ nbf: null }), "claim"],
  ["iat in the future, which is not looked at", withClaims({ iat: now + 1000 }), "ok"],

  ["another issuer", withClaims({ iss: "App" }), "issuer"],
  ["no issuer", sign(without(claims, "iss")), "issuer"],
  ["no audience", sign(without(claims, "aud")), "audience"],
  ["another audience", withClaims({ aud: "other" }), "audience"],
  ["a list of audiences", withClaims({ aud: ["jitsi"] }), "audience"],

  ["no room", sign(without(claims, "room")), "claim"],
  ["room null", withClaims({ room: null }), "claim"],
  ["no sub", sign(without(claims, "sub")), "subject"],
  ["sub null", withClaims({ sub: null }), "subject"],

  ["no context", sign(without(claims, "context")), "ok", room],
  ["context null", withClaims({ context: null }), "claim"],
  ["context a number", withClaims({ context: 5 }), "claim"],
  ["context a string, in which nothing is found", withClaims({ context: "x" }), "ok", room],
  ["user null", withContext({ user: null }), "claim"],
  ["a field of the user null", withContext({ user: { id: "ada", avatar: null } }), "claim"],
  ["group null", withContext({ group: null }), "claim"],
  ["room of the context null", withContext({ room: null }), "claim"],
  ["tenant of the context null", withContext({ tenant: null }), "claim"],
  [
    "tenant of the context another one, which Prosody only notes",
    withContext({ tenant: "acme" }),
    "ok",
    room,
  ],
  ["a null that nobody looks at", withContext({ callee: null }), "ok"],

  ["another room", sign(claims), "room", { roomName: "other" }],
  ["the room in other case", withClaims({ room: "TALK" }), "ok", { roomName: "Talk" }],
  ["the room as a URL has it", withClaims({ room: "my%20room" }), "ok", { roomName: "My Room" }],
  [
    "the room with a space, which no URL has",
    withClaims({ room: "my room" }),
    "room",
    { roomName: "my room" },
  ],
  ["a capital that Lua does not know", withClaims({ room: "Ä" }), "room", { roomName: "Ä" }],
  ["every room", withClaims({ room: "*" }), "ok", { roomName: "anything" }],
  ["a pattern without the flag", withClaims({ room: "ta.k" }), "room", room],
  ["a pattern", withContext({ room: { regex: true } }), "ok", room],

  ["sub in other case", withClaims({ sub: "Meet.Example.COM" }), "ok", room],
  ["sub another domain", withClaims({ sub: "example.com" }), "subject", room],
  ["sub another domain, whatever the room", withClaims({ sub: "example.com" }), "subject"],
  ["sub any", withClaims({ sub: "*" }), "ok", room],
  ["sub the tenant", withClaims({ sub: "acme" }), "ok", { ...room, tenant: "ACME" }],
  ["sub any, for a tenant", withClaims({ sub: "*" }), "ok", { ...room, tenant: "acme" }],
  ["sub the domain, for a tenant", sign(claims), "subject", { ...room, tenant: "acme" }],
  ["sub the tenant, without one", withClaims({ sub: "acme" }), "subject", room],
];

describe("Prosody is shown a token with", () => {
  test.each<Case>(cases)("%s", (_, token, reason, question) => {
    const verdict = judge(token, question);
    expect(verdict.reason).toBe(reason);
    expect(verdict.detail === "").toBe(reason === "ok");
  });
});

describe("a room claim that is a pattern", () => {
  const pattern = (room: string, regex: unknown = true) =>
    sign({ ...claims, room, context: { ...claims.context, room: { regex } } });

  test.each([
    ["team%-%d+", "Team-12", "ok"],
    ["team%-%d+", "team-12b", "room"],
    ["^team.-$", "team-a", "ok"],
    ["team", "team-a", "room"],
    ["TEAM", "team", "room"],
    ["*", "anything", "ok"],
    ["[", "[", "room"],
    ["t.-a.-l.-k", "talk", "ok"],
    ["t.-a.-l.-k.-", "talk", "room"],
    ["x%b()", "x()", "room"],
    [".*", "x".repeat(129), "room"],
  ])("%s, for %s", (room, roomName, reason) => {
    expect(judge(pattern(room), { roomName }).reason).toBe(reason);
    expect(judge(pattern(room, "true"), { roomName }).reason).toBe(reason);
    if (room !== "*" && reason === "ok")
      expect(judge(pattern(room, "yes"), { roomName }).reason).toBe("room");
  });
});

describe("of several audiences a Prosody that accepts", () => {
  const of = (...acceptedAudiences: string[]) => ({ ...settings, acceptedAudiences });
  test.each([
    ["others too takes them", of("jitsi", "other"), "other", "ok"],
    ["others too takes no list", of("jitsi", "other"), ["other"], "audience"],
    ["others only refuses its own", of("other"), "jitsi", "audience"],
    ["any takes any", of("*"), "anything", "ok"],
    ["any takes a list", of("*"), ["a", "b"], "ok"],
    ["any takes none that is absent", of("*"), undefined, "audience"],
  ])("%s", (_, accepting, aud, reason) => {
    expect(judge(withClaims({ aud }), room, accepting).reason).toBe(reason);
  });
});

describe("a Prosody with a key server", () => {
  const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const pem = rsa.privateKey.export({ type: "pkcs8", format: "pem" }) as string;
  const withKeys: JitsiSettings = { ...settings, key: jitsiPrivateKey({ path: "k", pem }, "key-1") };
  const signed = (head: object, key = pem) => {
    const input = `${base64url(JSON.stringify(head))}.${base64url(JSON.stringify(claims))}`;
    return `${input}.${createSign("sha256").update(input).sign(createPrivateKey(key)).toString("base64url")}`;
  };
  const other = generateKeyPairSync("rsa", { modulusLength: 2048 });

  test.each<[string, string, Verdict["reason"]]>([
    ["the key's own", signed({ alg: "RS256", typ: "JWT", kid: "key-1" }), "ok"],
    ["no kid", signed({ alg: "RS256", typ: "JWT" }), "claim"],
    ["another kid", signed({ alg: "RS256", typ: "JWT", kid: "key-2" }), "signature"],
    [
      "another key",
      signed(
        { alg: "RS256", typ: "JWT", kid: "key-1" },
        other.privateKey.export({ type: "pkcs8", format: "pem" }) as string,
      ),
      "signature",
    ],
    ["a shared secret", makeToken(claims, { ...header, kid: "key-1" }, secret), "algorithm"],
    [
      "the public key as a shared secret",
      makeToken(
        claims,
        { ...header, kid: "key-1" },
        rsa.publicKey.export({ type: "spki", format: "pem" }) as string,
      ),
      "algorithm",
    ],
  ])("is shown a token signed with %s", (_, token, reason) => {
    expect(judge(token, room, withKeys).reason).toBe(reason);
  });
});

describe("the verdict", () => {
  test("says in figures for how long a token has been expired, and when it begins", () => {
    expect(judge(sign(claims), {}, settings, (claims.exp + 40) * 1000 + 999)).toMatchObject({
      reason: "expired",
      detail: "exp passed 40 s ago; Jitsi allows no leeway",
    });
    expect(judge(withClaims({ nbf: now + 300 })).detail).toBe("nbf lies 5 min ahead; Jitsi allows no leeway");
    expect(judge(sign(claims), {}, settings, (claims.exp + 86_400 * 3) * 1000).detail).toMatch(
      /passed 3 days ago/,
    );
  });

  test("counts in Prosody's whole seconds", () => {
    const at = (ms: number) => judge(sign(claims), {}, settings, claims.exp * 1000 + ms).reason;
    expect([at(-1), at(0)]).toEqual(["ok", "expired"]);
    expect(judge(withClaims({ nbf: now + 0.5 }), {}, settings, nowMs + 999).reason).toBe("not-yet-valid");
  });

  test("tells the claims of a token that is signed, also when it is refused", () => {
    const verdict = judge(withClaims({ iss: "other" }));
    expect(verdict).toMatchObject({
      kind: "jitsi",
      claims: { iss: "other" },
      expireTime: new Date(claims.exp * 1000),
    });
  });

  test.each<[string, object, object]>([
    ["neither", {}, { tokenAffiliation: false, tokenModeration: false }],
    ["token_moderation", { moderator: true }, { tokenAffiliation: false, tokenModeration: true }],
    [
      "nobody, who writes it as text at the top",
      { moderator: "true" },
      { tokenAffiliation: false, tokenModeration: false },
    ],
    ...(["owner", "moderator", "teacher"] as const).map((affiliation): [string, object, object] => [
      `token_affiliation, by ${affiliation}`,
      { context: { user: { affiliation } } },
      { tokenAffiliation: true, tokenModeration: false },
    ]),
    [
      "token_affiliation, by text",
      { context: { user: { moderator: "true" } } },
      { tokenAffiliation: true, tokenModeration: false },
    ],
    [
      "token_affiliation, by a flag",
      { context: { user: { moderator: true } } },
      { tokenAffiliation: true, tokenModeration: false },
    ],
    [
      "neither, by a member",
      { context: { user: { affiliation: "member", moderator: "false" } } },
      { tokenAffiliation: false, tokenModeration: false },
    ],
  ])("says that a moderator is made by %s", (_, changes, moderation) => {
    expect(judge(withClaims(changes)).moderation).toEqual(moderation);
  });

  test("says nothing of moderation when the token is refused", () => {
    expect(judge(withClaims({ moderator: true, exp: now - 1 }))).not.toHaveProperty("moderation");
  });
});

describe("what Parley issues", () => {
  test.each(["daily", "Daily Talk", "ÄRGER", "会議"])(
    "is let into %s, by those plug-ins that it says",
    (roomName) => {
      for (const userType of ["host", "guest"] as const) {
        for (const tenant of [undefined, "acme"]) {
          const of = { ...settings, ...(tenant !== undefined && { tenant }) };
          const { token } = issueJitsiToken(
            { roomName, user: { id: "ada" }, privileges: privilegesOf(userType), ttlSeconds: 60 },
            of,
            nowMs,
          );
          const verdict = judge(token, { roomName, ...(tenant !== undefined && { tenant }) }, of);
          const moderates = userType === "host";
          expect(verdict).toMatchObject({
            reason: "ok",
            moderation: { tokenAffiliation: moderates, tokenModeration: moderates },
          });
          // A clock that is 10 s behind is no reason to refuse it.
          expect(
            judge(token, { roomName, ...(tenant !== undefined && { tenant }) }, of, nowMs - 10_000).reason,
          ).toBe("ok");
          expect(
            judge(token, { roomName: `${roomName}2`, ...(tenant !== undefined && { tenant }) }, of).reason,
          ).toBe("room");
        }
      }
    },
  );
});
