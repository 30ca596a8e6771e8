/**
 * Tokens for LiveKit, good ones and bad ones of each kind: what a real server answers to them, and what Parley says of them.
 * The answers are those of livekit-server 1.9, and tried against one. Parley judges by the rules of 1.13, which reads tokens
 * with another library (`auth` of github.com/livekit/protocol 1.53, with which the verdicts were compared); where Parley and
 * 1.9 differ, `differs` says why.
 */
import { createHmac } from "node:crypto";
import type { LiveKitSettings } from "../../src/token/targets/livekit/issue-token.ts";
import type { TokenErrorCode } from "../../src/token/token-error.ts";
import { base64url, header, makeToken, without } from "../token/make-token.ts";

export interface AdmissionCase {
  readonly name: string;
  readonly token: string;
  /** The room that somebody wants to enter with it. Absent: whichever it opens. */
  readonly roomName?: string;
  /** HTTP status of livekit-server 1.9: 200 when it lets the token in. */
  readonly status: 200 | 400 | 401;
  /** What Parley says of it. */
  readonly verdict: "ok" | TokenErrorCode;
  /** Why one of the two lets it in and the other does not. */
  readonly differs?: string;
}

/** LiveKit's leeway is 60 s; time goes by while a case is tried. */
const leewaySeconds = 60;
const marginSeconds = 5;
const within = leewaySeconds - marginSeconds;
const beyond = leewaySeconds + marginSeconds;

type Expected = readonly [AdmissionCase["status"], AdmissionCase["verdict"], string?];
const letIn: Expected = [200, "ok"];

export function admissionCases(settings: LiveKitSettings, nowMs: number): AdmissionCase[] {
  const { apiKey, apiSecret } = settings;
  const now = Math.floor(nowMs / 1000);
  const good = {
    iss: apiKey,
    sub: "ada",
    nbf: now,
    exp: now + 600,
    video: { roomJoin: true, room: "room" },
  };
  const sign = (claims: unknown, head: unknown = header) => makeToken(claims, head, apiSecret);
  const withClaims = (claims: object) => sign({ ...good, ...claims });
  const withVideo = (video: object) => withClaims({ video: { ...good.video, ...video } });
  const hmac = (alg: string, hash: string) => {
    const input = `${base64url(JSON.stringify({ alg }))}.${base64url(JSON.stringify(good))}`;
    return `${input}.${createHmac(hash, apiSecret).update(input).digest("base64url")}`;
  };
  const token = sign(good);
  const [headerPart = "", claimsPart = "", signature = ""] = token.split(".");
  const asText = JSON.stringify(good);

  const cases: Readonly<Record<string, readonly [token: string, expected: Expected, roomName?: string]>> = {
    "a good one": [token, letIn],
    "one that opens the room that is asked for": [token, letIn, "room"],

    "expired within the leeway": [withClaims({ exp: now - within }), letIn],
    "expired beyond the leeway": [withClaims({ exp: now - beyond }), [401, "expired"]],
    "expired in 1970": [withClaims({ exp: 0 }), [401, "expired"]],
    "good from a moment within the leeway": [withClaims({ nbf: now + within }), letIn],
    "good from a moment beyond the leeway": [withClaims({ nbf: now + beyond }), [401, "not-yet-valid"]],
    "issued within the leeway from now": [withClaims({ iat: now + within }), letIn],
    "issued beyond the leeway from now": [
      withClaims({ iat: now + beyond }),
      [401, "ok", "since 1.13 iat is not looked at"],
    ],
    "without exp": [sign(without(good, "exp")), [200, "claim", "since 1.13 exp is required"]],
    "with exp null": [withClaims({ exp: null }), [200, "claim", "since 1.13 exp is required"]],
    "with exp in a string": [
      withClaims({ exp: String(now + 600) }),
      [401, "ok", "since 1.13 a number in a string is read"],
    ],
    "with exp in a fraction of a second": [withClaims({ exp: now + 600.5 }), letIn],
    "with exp that no time can be": [sign(asText.replace(/"exp":\d+/, '"exp":1e308')), [401, "claim"]],
    "with exp true": [withClaims({ exp: true }), [401, "claim"]],
    "without nbf": [sign(without(good, "nbf")), letIn],
    "good for ten years": [withClaims({ exp: now + 315_360_000 }), letIn],

    "signed with another secret": [
      makeToken(good, header, "another-secret-of-32-bytes-at-least"),
      [401, "signature"],
    ],
    "of another key": [withClaims({ iss: "APIother" }), [401, "issuer"]],
    "without iss": [sign(without(good, "iss")), [401, "issuer"]],
    "edited after it was signed": [
      `${headerPart}.${base64url(asText.replace('"ada"', '"eve"'))}.${signature}`,
      [401, "signature"],
    ],
    "unsigned, alg none": [`${base64url('{"alg":"none"}')}.${claimsPart}.`, [401, "algorithm"]],
    "signed, alg none": [sign(good, { alg: "none" }), [401, "algorithm"]],
    "signed, alg RS256": [sign(good, { alg: "RS256" }), [401, "algorithm"]],
    "signed, without alg": [sign(good, { typ: "JWT" }), [401, "algorithm"]],
    "signed by HS512": [hmac("HS512", "sha512"), [200, "algorithm", "since 1.13 only HS256 is taken"]],
    "with another typ": [sign(good, { ...header, typ: "at+jwt" }), letIn],
    "with a kid": [sign(good, { ...header, kid: "k" }), letIn],

    "without roomJoin": [withClaims({ video: { room: "room" } }), [401, "grant"]],
    "with roomJoin false": [withVideo({ roomJoin: false }), [401, "grant"]],
    "with roomJoin in a string": [withVideo({ roomJoin: "true" }), [401, "claim"]],
    "of an administrator who may not join": [withVideo({ roomJoin: false, roomAdmin: true }), [401, "grant"]],
    "without grants": [sign(without(good, "video")), [401, "grant"]],
    "with grants that are a list": [withClaims({ video: [] }), [401, "claim"]],
    "with a grant that nobody knows": [withVideo({ canFly: true }), letIn],
    "with a grant of a wrong type": [withVideo({ canPublish: "yes" }), [401, "claim"]],
    "with sources that are no list": [withVideo({ canPublishSources: "camera" }), [401, "claim"]],

    "without sub": [sign(without(good, "sub")), [400, "claim"]],
    "with an empty sub": [withClaims({ sub: "" }), [400, "claim"]],
    "with jti in place of sub": [sign({ ...without(good, "sub"), jti: "ada" }), letIn],
    "with a sub that is a number": [withClaims({ sub: 5 }), [401, "claim"]],
    "with a sub of 256 bytes": [withClaims({ sub: "é".repeat(128) }), letIn],
    "with a sub of 258 bytes": [withClaims({ sub: "é".repeat(129) }), [400, "claim"]],

    "that opens another room than is asked for": [
      token,
      [200, "room", "LiveKit is not asked for a room: it leads into the token's"],
      "another room",
    ],
    "that opens the room in other case": [
      withVideo({ room: "Room" }),
      [200, "room", "LiveKit is not asked for a room: it leads into the token's"],
      "room",
    ],
    "that names no room": [withClaims({ video: { roomJoin: true } }), [400, "room"]],
    "that names no room, for a room": [withVideo({ room: "" }), [400, "room"], "room"],
    "with a room that is a number": [withVideo({ room: 5 }), [401, "claim"]],
    "with a room of 256 bytes": [withVideo({ room: "é".repeat(128) }), letIn],
    "with a room of 258 bytes": [withVideo({ room: "é".repeat(129) }), [400, "room"]],

    "with an audience": [withClaims({ aud: ["somebody"] }), letIn],
    "with an audience that is a number": [withClaims({ aud: 5 }), [401, "claim"]],
    "with a name that is a number": [withClaims({ name: 5 }), [401, "claim"]],
    "with metadata that is a number": [withClaims({ metadata: 5 }), [401, "claim"]],
    "with metadata that is long": [withClaims({ metadata: "m".repeat(4000) }), letIn],
    "with attributes": [withClaims({ attributes: { "parley.user_id": "ada" } }), letIn],
    "with an attribute that is a number": [withClaims({ attributes: { age: 5 } }), [401, "claim"]],
    "with a room configuration": [withClaims({ roomConfig: { maxParticipants: 3, metadata: "m" } }), letIn],
    "with a room configuration that nobody knows": [
      withClaims({ roomConfig: { colour: "red" } }),
      [401, "ok", "since 1.13 what is not known of it is left aside"],
    ],
    "with a room configuration that is a string": [withClaims({ roomConfig: "x" }), [401, "claim"]],

    "that is no token": ["nonsense", [401, "malformed"]],
    "in two parts": [`${headerPart}.${claimsPart}`, [401, "malformed"]],
    "in four parts": [`${token}.x`, [401, "malformed"]],
    "whose claims are a list": [sign([good]), [401, "malformed"]],
    "whose claims go on after their end": [sign(`${asText}{}`), [401, "malformed"]],
    "with a member twice": [sign(asText.replace("{", '{"exp":1,')), [401, "malformed"]],
    "with padding": [`${token}=`, [200, "malformed", "Parley takes only the canonical form"]],
    "with a line break": [`${token}\n`, [200, "malformed", "Parley takes only the canonical form"]],
    "as JSON": [
      JSON.stringify({ protected: headerPart, payload: claimsPart, signature }),
      [200, "malformed", "Parley takes only the compact form"],
    ],
  };
  return Object.entries(cases).map(([name, [made, [status, verdict, differs], roomName]]) => ({
    name,
    token: made,
    status,
    verdict,
    ...(differs !== undefined && { differs }),
    ...(roomName !== undefined && { roomName }),
  }));
}
