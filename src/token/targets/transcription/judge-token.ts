/** Answers "is this token of ours good, and if not, why", without letting anybody in. */
import type { JwtSettings } from "../../keys/jwt-settings.ts";
import { keyRing } from "../../keys/key-ring.ts";
import { endOfTime, readSignedClaims } from "../../jwt/verify-jwt.ts";
import type { Claims } from "../../jwt/verify-jwt.ts";
import type { Revocations } from "../../revocation/revocations.ts";
import { TokenError } from "../../token-error.ts";
import type { TokenErrorCode } from "../../token-error.ts";
import { userTokenAudience } from "../../users/user-token.ts";
import { verifyOwnToken } from "../../credentials/verify-credential.ts";

export interface TokenQuestion {
  /** The room that would be entered. */
  readonly roomName?: string;
  /** Whether only a transcription token will do. */
  readonly onlyTranscription: boolean;
}

export interface TokenVerdict {
  readonly reason: "ok" | TokenErrorCode;
  /** Only when the signature is good. */
  readonly kind?: "user" | "participant";
  /** Only when the signature is good. */
  readonly claims?: Claims;
  readonly expireTime?: Date;
}

export function validateOwnToken(
  token: string,
  question: TokenQuestion,
  settings: JwtSettings,
  revocations: Pick<Revocations, "check">,
  nowMs: number,
): TokenVerdict {
  const signed = readSigned(token, settings);
  try {
    const caller = revocations.check(verifyOwnToken(token, settings, nowMs));
    if (question.onlyTranscription && caller.kind !== "participant") return { ...signed, reason: "audience" };
    if (
      question.roomName !== undefined &&
      caller.kind === "participant" &&
      caller.roomName !== question.roomName
    ) {
      return { ...signed, reason: "room" };
    }
    return { ...signed, reason: "ok" };
  } catch (error) {
    if (!(error instanceof TokenError)) throw error;
    return { ...signed, reason: error.code };
  }
}

/** The claims of a token that is ours, also when it is not good now. */
function readSigned(token: string, settings: JwtSettings): Omit<TokenVerdict, "reason"> {
  let claims: Claims;
  try {
    claims = readSignedClaims(token, { keys: keyRing(settings).participant });
  } catch {
    return {}; // not ours, or not readable: then there is nothing to show
  }
  const { exp } = claims;
  const isTime = typeof exp === "number" && exp >= 0 && exp < endOfTime;
  const kind = kindOf(claims, settings);
  return {
    claims,
    ...(kind && { kind }),
    ...(isTime && { expireTime: new Date(exp * 1000) }),
  };
}

function kindOf(claims: Claims, settings: JwtSettings): TokenVerdict["kind"] {
  if (claims["iss"] !== settings.issuer) return undefined;
  if (claims["aud"] === settings.audience) return "participant";
  return claims["aud"] === userTokenAudience ? "user" : undefined;
}
