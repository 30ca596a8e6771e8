/** What the fuzz target begins with: good tokens of every kind and key, and good ones of others, which Parley must refuse. */
import type { SigningKeyName } from "./sign-input.ts";
import { nowSeconds, settings } from "./fuzz-keys.ts";

/** A name and a value as JSON text, so that they can be what no JSON writer writes. */
export type Member = readonly [name: string, value: string];

export interface SampleToken {
  readonly header: readonly Member[];
  readonly claims: readonly Member[];
  readonly key: SigningKeyName;
}

function members(object: Readonly<Record<string, unknown>>): readonly Member[] {
  return Object.entries(object).map(([name, value]) => [JSON.stringify(name), JSON.stringify(value)]);
}

const times = { iat: nowSeconds, nbf: nowSeconds, exp: nowSeconds + 7200 };
const participant = {
  userId: "ada",
  roomName: "interview-ada-1",
  participantIdentity: "ada-phone",
  userType: "PRESENTER",
  iss: settings.issuer,
  aud: settings.audience,
  ...times,
  jti: "019b7ca8-2f48-7c3e-9d55-0b6c4f3f2a11",
};
const family = { ...participant, fam: "019b7ca8-0000-7c3e-9d55-0b6c4f3f2a11" };
const user = {
  sub: "ada",
  name: "Ada Lovelace",
  email: "ada@example.com",
  iss: settings.issuer,
  aud: "parley",
};
const refresh = {
  sub: "ada",
  room: "r",
  identity: "ada",
  gen: 1,
  iss: settings.issuer,
  aud: "parley-refresh",
};
const livekit = { iss: "devkey", sub: "ada", video: { roomJoin: true, room: "r" } };
const sfu = { user_id: "ada", email: "ada@example.com", room: "r", user_type: "HOST" };

const hs256 = members({ alg: "HS256", typ: "JWT" });
const [presentKid, nextKid] = (settings.eddsa?.published ?? []).map(({ kid }) => kid);

export const sampleTokens: readonly SampleToken[] = [
  { header: hs256, claims: members(participant), key: "secret" },
  { header: hs256, claims: members(family), key: "previous secret" },
  {
    header: members({ alg: "EdDSA", typ: "JWT", kid: presentKid }),
    claims: members(family),
    key: "present key",
  },
  { header: members({ alg: "EdDSA", kid: nextKid }), claims: members(participant), key: "next key" },
  { header: members({ alg: "EdDSA" }), claims: members(participant), key: "present key" },
  {
    header: members({ typ: "jwt", alg: "HS256", kid: "2026-01" }),
    claims: members({ ...user, ...times }),
    key: "secret",
  },
  { header: hs256, claims: members({ ...user, exp: times.exp }), key: "previous secret" },
  {
    header: members({ alg: "HS256", typ: "refresh+jwt" }),
    claims: members({ ...refresh, ...times }),
    key: "secret",
  },
  { header: hs256, claims: members({ ...livekit, ...times }), key: "secret" },
  { header: hs256, claims: members({ ...sfu, ...times }), key: "secret" },
];
