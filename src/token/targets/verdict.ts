/**
 * Whether a server would let a token in, and if not, why. A judge goes by that server's own rules, in its order, and asks it
 * nothing. Of a token whose signature does not fit, a verdict tells the reason and nothing else.
 */
import { decodeBase64url } from "../jwt/base64url.ts";
import type { VerificationKey } from "../jwt/jwt-key.ts";
import { endOfTime, peekToken } from "../jwt/verify-jwt.ts";
import type { Claims } from "../jwt/verify-jwt.ts";
import { TokenError } from "../token-error.ts";
import type { TokenErrorCode } from "../token-error.ts";

export interface TokenQuestion {
  /** The room that would be entered. Absent: any that the token opens. */
  readonly roomName?: string;
  /** For Jitsi: the tenant of the meeting. Absent: none. */
  readonly tenant?: string;
}

export type TokenKind = "user" | "transcription" | "refresh" | "livekit" | "jitsi" | "sfu";

export interface Verdict extends Knowledge, Findings {
  readonly reason: "ok" | TokenErrorCode | "not-configured";
  /** The reason in words, with figures. Empty when it is `ok`. */
  readonly detail: string;
}

/** What may be told of a token, once its signature is known to be good. */
export interface Knowledge {
  readonly kind?: TokenKind;
  readonly claims?: Claims;
  readonly expireTime?: Date;
}

/** What else there is to say of a token that is let in. */
export interface Findings {
  /** Which of Prosody's plug-ins would make the bearer a moderator. */
  readonly moderation?: { readonly tokenAffiliation: boolean; readonly tokenModeration: boolean };
}

/** A token in its strict form. What its header may say is for each judge to tell. */
export interface ReadToken {
  readonly header: Claims;
  readonly claims: Claims;
  /** With the key, and by its algorithm. */
  readonly isSigned: boolean;
}

/** `check` throws TokenError for what the server would refuse; its message may tell claims once the signature is checked. */
export function judgeWith(
  token: string,
  kind: TokenKind,
  key: VerificationKey,
  check: (token: ReadToken) => Findings,
): Verdict {
  let knowledge: Knowledge = {};
  return giveVerdict(
    () => {
      const read = readToken(token, key);
      if (read.isSigned) knowledge = knowledgeOf(kind, read.claims);
      return check(read);
    },
    () => knowledge,
  );
}

/** `knowledge` is asked for after the check. */
export function giveVerdict(check: () => Findings, knowledge: () => Knowledge): Verdict {
  try {
    const findings = check();
    return { reason: "ok", detail: "", ...knowledge(), ...findings };
  } catch (error) {
    if (!(error instanceof TokenError)) throw error;
    return { reason: error.code, detail: error.message, ...knowledge() };
  }
}

/** `claims` are signed. */
export function knowledgeOf(kind: TokenKind | undefined, claims: Claims): Knowledge {
  const { exp } = claims;
  const isTime = typeof exp === "number" && exp >= 0 && exp < endOfTime;
  return { claims, ...(kind && { kind }), ...(isTime && { expireTime: new Date(exp * 1000) }) };
}

/** Whether the key has signed the token. False also for what is no token. */
export function isSignedWith(token: string, key: VerificationKey): boolean {
  try {
    return readToken(token, key).isSigned;
  } catch {
    return false;
  }
}

/** Throws TokenError `malformed`. */
function readToken(token: string, key: VerificationKey): ReadToken {
  const { header, claims } = peekToken(token);
  const at = token.lastIndexOf(".");
  const signature = decodeBase64url(token.slice(at + 1));
  const isSigned =
    header["alg"] === key.alg && signature !== undefined && key.verifies(token.slice(0, at), signature);
  return { header, claims, isSigned };
}
