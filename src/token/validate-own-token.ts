/** Answers "is this token of ours good, and if not, why", without letting anybody in. */
import { maxLifetimeSeconds } from "./jwt-settings.ts";
import type { JwtSettings } from "./jwt-settings.ts";
import { verifyJwt } from "./jwt/verify-jwt.ts";
import type { Claims } from "./jwt/verify-jwt.ts";
import { TokenError } from "./token-error.ts";
import type { TokenErrorCode } from "./token-error.ts";
import { verifyOwnToken } from "./verify-credential.ts";

export interface TokenQuestion {
  /** The room that would be entered. */
  readonly roomName?: string;
  /** Whether only a transcription token will do. */
  readonly onlyTranscription: boolean;
}

export interface TokenVerdict {
  readonly reason: "ok" | TokenErrorCode;
  readonly kind?: "user" | "participant";
  /** Only when the signature is good. */
  readonly claims?: Claims;
  readonly expireTime?: Date;
}

export function validateOwnToken(
  token: string,
  question: TokenQuestion,
  settings: JwtSettings,
  nowMs: number,
): TokenVerdict {
  const signed = readSigned(token, settings, nowMs);
  try {
    const caller = verifyOwnToken(token, settings, nowMs);
    const known = { ...signed, kind: caller.kind };
    if (question.onlyTranscription && caller.kind !== "participant") return { ...known, reason: "audience" };
    if (
      question.roomName !== undefined &&
      caller.kind === "participant" &&
      caller.roomName !== question.roomName
    ) {
      return { ...known, reason: "room" };
    }
    return { ...known, reason: "ok" };
  } catch (error) {
    if (!(error instanceof TokenError)) throw error;
    return { ...signed, reason: error.code };
  }
}

/** The claims of a token that is ours, also when it is not good now. */
function readSigned(
  token: string,
  settings: JwtSettings,
  nowMs: number,
): Pick<TokenVerdict, "claims" | "expireTime"> {
  const secrets =
    settings.previousSecret === undefined ? [settings.secret] : [settings.secret, settings.previousSecret];
  try {
    // At its own moment of issue a token is neither expired nor early.
    const payload = JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString()) as {
      exp?: unknown;
    };
    const at = typeof payload.exp === "number" ? Math.min(nowMs, payload.exp * 1000 - 1) : nowMs;
    const claims = verifyJwt(token, { secrets, nowMs: at, maxLifetimeSeconds });
    return { claims, expireTime: new Date((claims["exp"] as number) * 1000) };
  } catch {
    return {}; // not ours, or not readable: then there is nothing to show
  }
}
