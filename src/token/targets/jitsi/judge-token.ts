/**
 * Whether Prosody lets a token into a Jitsi meeting, by the rules of jitsi-meet's `luajwtjitsi.lib.lua`, `token/util.lib.lua`,
 * `mod_token_verification` and `mod_presence_identity`, with domain verification, which is on unless it is switched off. Two
 * things here are Lua's: `false` is as good as absent, and null is not.
 */
import type { Claims } from "../../jwt/verify-jwt.ts";
import { TokenError } from "../../token-error.ts";
import { expired, notYetValid } from "../time-refusals.ts";
import { judgeWith } from "../verdict.ts";
import type { Findings, ReadToken, TokenQuestion, Verdict } from "../verdict.ts";
import { jitsiAudience } from "./jitsi-settings.ts";
import type { JitsiSettings } from "./jitsi-settings.ts";
import { LuaPatternError, countQuantifiers, matchLuaPattern } from "./match-lua-pattern.ts";
import { asciiLowerCase, meetingNameOfClient } from "./meeting-name.ts";

const anything = "*";

export function judgeJitsiToken(
  token: string,
  question: TokenQuestion,
  settings: JitsiSettings,
  nowMs: number,
): Verdict {
  return judgeWith(token, "jitsi", settings.key, (read) => {
    const { claims } = read;
    checkSignature(read, settings);
    checkTimes(claims, nowMs);
    checkIssuer(claims, settings);
    const room = readText(claims, "room", "claim");
    const sub = readText(claims, "sub", "subject");
    const { context, user } = readContext(claims);
    checkRoom(room, isPattern(context), question);
    checkDomain(asciiLowerCase(sub), question, settings);
    return moderationOf(claims, user);
  });
}

function checkSignature({ header, isSigned }: ReadToken, { key }: JitsiSettings): void {
  if (header["typ"] !== "JWT") throw new TokenError("malformed", 'the header\'s typ is not "JWT"');
  if (header["alg"] !== key.alg)
    throw new TokenError("algorithm", `alg is another one; this Prosody takes ${key.alg}`);
  if (key.kid !== undefined && !has(header, "kid"))
    throw new TokenError("claim", "the header has no kid, by which Prosody finds the key");
  if (key.kid !== undefined && header["kid"] !== key.kid)
    throw new TokenError("signature", "the header's kid is not JITSI_KEY_ID");
  const secret = key.kid === undefined ? "JITSI_APP_SECRET" : "the key of JITSI_PRIVATE_KEY_FILE";
  if (!isSigned) throw new TokenError("signature", `the signature does not fit ${secret}`);
}

/** Prosody's clock counts whole seconds. */
function checkTimes(claims: Claims, nowMs: number): void {
  const leeway = "Jitsi allows no leeway";
  const now = Math.floor(nowMs / 1000);
  const exp = readNumber(claims, "exp");
  const nbf = readNumber(claims, "nbf");
  if (exp !== undefined && now >= exp) throw expired(exp, nowMs, leeway);
  if (nbf !== undefined && now < nbf) throw notYetValid("nbf", nbf, nowMs, leeway);
}

function checkIssuer({ iss, aud }: Claims, settings: JitsiSettings): void {
  if (iss !== settings.appId) throw new TokenError("issuer", "iss is not JITSI_APP_ID");
  const { acceptedAudiences = [jitsiAudience] } = settings;
  if (aud === undefined) throw new TokenError("audience", "aud is absent");
  if (acceptedAudiences.includes(anything)) return;
  const onlyWith = 'Prosody takes that only where asap_accepted_audiences has "*"';
  if (typeof aud !== "string") throw new TokenError("audience", `aud is not a string; ${onlyWith}`);
  if (!acceptedAudiences.includes(aud))
    throw new TokenError(
      "audience",
      `aud is not "${acceptedAudiences.join('" or "')}"; ${onlyWith} or this one`,
    );
}

/** What Prosody looks into must be an object, or a string, in which it finds nothing; and it fails at a null. */
function readContext(claims: Claims): { context: Claims; user: Claims } {
  const context = typeof claims["context"] === "string" ? {} : readObject(claims, "context", "context");
  const user = readObject(context, "user", "context.user");
  for (const [object, name, path] of [
    ...Object.keys(user).map((name) => [user, name, `context.user.${name}`] as const),
    [context, "group", "context.group"],
    [context, "room", "context.room"],
    [context, "tenant", "context.tenant"],
  ] as const) {
    if (object[name] === null) throw new TokenError("claim", `${path} is null, at which Prosody fails`);
  }
  return { context, user };
}

/** `room.regex` makes a Lua pattern of the room's name. */
function isPattern({ room }: Claims): boolean {
  if (typeof room !== "object" || room === null) return false;
  const { regex } = room as Claims;
  return regex === true || regex === "true";
}

/** `token_regex_room_max_length` and `token_regex_max_quantifiers`. */
const maxMatchedLength = 128;
const maxQuantifiers = 3;

function checkRoom(room: string, isPattern: boolean, { roomName }: TokenQuestion): void {
  if (roomName === undefined || room === anything) return;
  const asked = meetingNameOfClient(roomName);
  if (isPattern) checkPattern(room, asked);
  else if (asciiLowerCase(room) !== asked)
    throw new TokenError("room", "room is another one; Jitsi compares it in lower case, as a URL has it");
}

function checkPattern(pattern: string, asked: string): void {
  if (asked.length > maxMatchedLength)
    throw new TokenError(
      "room",
      `room is a pattern, which Prosody tries on at most ${maxMatchedLength} characters`,
    );
  if (countQuantifiers(pattern) > maxQuantifiers)
    throw new TokenError("room", `room is a pattern that repeats more than ${maxQuantifiers} things`);
  let matched: string | undefined;
  try {
    matched = matchLuaPattern(asked, pattern);
  } catch (error) {
    if (!(error instanceof LuaPatternError)) throw error;
    throw new TokenError("room", `room is a pattern that ${error.message}`);
  }
  if (matched !== asked) throw new TokenError("room", "room is a pattern that does not match the whole name");
}

function checkDomain(sub: string, { roomName, tenant }: TokenQuestion, settings: JitsiSettings): void {
  if (sub === anything) return;
  const isOneOf = (...names: readonly (string | undefined)[]) =>
    names.some((name) => name !== undefined && asciiLowerCase(name) === sub);
  if (tenant !== undefined) {
    if (!isOneOf(tenant)) throw new TokenError("subject", "sub is not the tenant");
    return;
  }
  if (roomName !== undefined) {
    if (!isOneOf(settings.domain))
      throw new TokenError("subject", "sub is not JITSI_DOMAIN, as for a meeting without a tenant");
    return;
  }
  if (!isOneOf(settings.domain, settings.tenant))
    throw new TokenError("subject", "sub is neither JITSI_DOMAIN nor JITSI_TENANT");
}

function moderationOf(claims: Claims, user: Claims): Findings {
  const { affiliation, moderator } = user;
  return {
    moderation: {
      tokenAffiliation:
        ["owner", "moderator", "teacher"].includes(affiliation as string) ||
        moderator === true ||
        moderator === "true",
      tokenModeration: claims["moderator"] === true,
    },
  };
}

function has(value: Claims, name: string): boolean {
  return Object.hasOwn(value, name) && value[name] !== undefined;
}

/** Undefined when it is absent. Throws TokenError `claim`. */
function readNumber(claims: Claims, name: "exp" | "nbf"): number | undefined {
  const value = has(claims, name) ? claims[name] : undefined;
  if (value === undefined || value === false) return undefined;
  if (typeof value !== "number") throw new TokenError("claim", `${name} is not a number`);
  return value;
}

function readText(claims: Claims, name: string, code: "claim" | "subject"): string {
  const value = has(claims, name) ? claims[name] : undefined;
  if (value === undefined) throw new TokenError(code, `${name} is absent`);
  if (typeof value !== "string") throw new TokenError(code, `${name} is not a string`);
  return value;
}

/** Empty when it is absent. Throws TokenError `claim`. */
function readObject(value: Claims, name: string, path: string): Claims {
  const member = has(value, name) ? value[name] : {};
  if (typeof member === "object" && member !== null) return member as Claims;
  throw new TokenError("claim", `${path} is not an object`);
}
