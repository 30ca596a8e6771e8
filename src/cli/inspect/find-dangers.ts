/** What is dangerous or easily overlooked in a token, whether it is good or not. One line each. */
import type { Claims } from "../../token/jwt/verify-jwt.ts";
import { administrativeGrants } from "../../token/targets/livekit/grants.ts";
import { inWords } from "../../token/targets/time-refusals.ts";
import type { TokenKind } from "../../token/targets/verdict.ts";

export interface LookedAtToken {
  readonly header: Claims;
  readonly claims: Claims;
  /** For which server it is, as far as can be told. */
  readonly kind?: TokenKind;
}

/** Longer than this a token should not be good, in seconds: what is revoked goes on elsewhere until then. */
const longLifetimeSeconds = 24 * 3600;

export function findDangers(token: LookedAtToken, nowMs: number): readonly string[] {
  return [
    ...ofHeader(token),
    ...ofTimes(token, nowMs),
    ...ofAudience(token),
    ...ofGrants(token),
    ...ofJitsi(token),
  ];
}

function ofHeader({ header }: LookedAtToken): readonly string[] {
  const dangers: string[] = [];
  if (typeof header["alg"] !== "string" || /^(none)?$/i.test(header["alg"]))
    dangers.push("it is not signed: anybody can have written it");
  const brought = ["jwk", "jku", "x5u", "x5c"].filter((name) => Object.hasOwn(header, name));
  if (brought.length > 0)
    dangers.push(
      `its header brings a key, or says where one is (${brought.join(", ")}): a reader must not use it`,
    );
  return dangers;
}

function ofTimes({ claims }: LookedAtToken, nowMs: number): readonly string[] {
  const time = (name: string) => (typeof claims[name] === "number" ? claims[name] : undefined);
  const exp = time("exp");
  if (exp === undefined) return ["it has no exp: where it is let in, it is let in forever"];
  const lifetime = exp - (time("iat") ?? time("nbf") ?? nowMs / 1000);
  return lifetime > longLifetimeSeconds + 60 ? [`it is good for ${inWords(lifetime)}`] : [];
}

function ofAudience({ claims }: LookedAtToken): readonly string[] {
  return Array.isArray(claims["aud"])
    ? [
        "aud is a list: servers differ in how they read it, and Jitsi's Prosody takes none unless it takes any audience",
      ]
    : [];
}

function ofGrants({ claims }: LookedAtToken): readonly string[] {
  const video = objectOf(claims, "video");
  if (!video) return [];
  const dangers: string[] = [];
  const granted = administrativeGrants.filter((grant) => video[grant] === true);
  if (granted.length > 0) dangers.push(`it administers: ${granted.join(", ")}`);
  if (video["roomAdmin"] === true && (video["room"] ?? "") === "")
    dangers.push("it administers a room and names none");
  if (objectOf(objectOf(claims, "roomConfig") ?? {}, "egress"))
    dangers.push("it records the room that its bearer makes");
  return dangers;
}

function ofJitsi({ claims, kind }: LookedAtToken): readonly string[] {
  if (kind !== "jitsi") return [];
  const dangers: string[] = [];
  const context = objectOf(claims, "context");
  const user = objectOf(context ?? {}, "user");
  const regex = objectOf(context ?? {}, "room")?.["regex"];
  if (claims["room"] === "*") dangers.push("it opens every room");
  if (regex === true || regex === "true")
    dangers.push("its room is a pattern, and opens every room that fits");
  if (claims["sub"] === "*") dangers.push("it is for every tenant");
  const top = claims["moderator"] === true;
  const within =
    user?.["moderator"] === true || user?.["moderator"] === "true" || user?.["affiliation"] === "owner";
  if (top !== within)
    dangers.push("whether the bearer moderates depends on the plug-in: moderator and context.user differ");
  if (Object.values(user ?? {}).includes(null))
    dangers.push("context.user holds a null, at which Prosody fails");
  return dangers;
}

function objectOf(claims: Claims, name: string): Claims | undefined {
  const value = claims[name];
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Claims) : undefined;
}
