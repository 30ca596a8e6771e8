/**
 * Whether Parley itself takes a token that it, or an app with the shared secret, has signed: a transcription token, a user's
 * login or a refresh token. Lets nobody in, and spends nothing.
 */
import { verifyOwnToken } from "../../credentials/verify-credential.ts";
import { clockSkewSeconds, peekHeader, readSignedClaims } from "../../jwt/verify-jwt.ts";
import type { Claims } from "../../jwt/verify-jwt.ts";
import { maxLifetimeSeconds } from "../../keys/jwt-settings.ts";
import type { JwtSettings } from "../../keys/jwt-settings.ts";
import { keyRing, refreshTokenType } from "../../keys/key-ring.ts";
import { readRefreshToken, refreshTokenAudience } from "../../refresh/refresh-token.ts";
import type { Revocations } from "../../revocation/revocations.ts";
import { TokenError } from "../../token-error.ts";
import { userTokenAudience } from "../../users/user-token.ts";
import { expired, notYetValid } from "../time-refusals.ts";
import { giveVerdict, knowledgeOf } from "../verdict.ts";
import type { Knowledge, TokenKind, TokenQuestion, Verdict } from "../verdict.ts";

export interface OwnTokenSettings {
  readonly jwt: JwtSettings;
  readonly revocations: Pick<Revocations, "check" | "isRevoked">;
}

/** Whether it opens Transcribe. */
export function judgeTranscriptionToken(
  token: string,
  question: TokenQuestion,
  settings: OwnTokenSettings,
  nowMs: number,
): Verdict {
  return judge(token, settings, nowMs, () => checkParticipant(token, question, settings, nowMs, true));
}

/** Whether it is good for what it was made for. */
export function judgeOwnToken(
  token: string,
  question: TokenQuestion,
  settings: OwnTokenSettings,
  nowMs: number,
): Verdict {
  const { kind } = readOwnToken(token, settings.jwt);
  return judge(token, settings, nowMs, () => {
    // Of a forged one the header is all that says what it would be.
    if (kind === "refresh" || peekHeader(token)["typ"] === refreshTokenType)
      checkRefresh(token, question, settings, nowMs);
    else checkParticipant(token, question, settings, nowMs, false);
  });
}

/** What a token says that one of Parley's keys has signed, also when it is not good now. Empty when none has. */
export function readOwnToken(token: string, jwt: JwtSettings): Knowledge {
  let claims: Claims;
  try {
    claims = readSignedClaims(token, { keys: keyRing(jwt).participant, types: ["JWT", refreshTokenType] });
  } catch {
    return {}; // not ours, or not readable: then there is nothing to tell
  }
  return knowledgeOf(kindOf(claims, jwt), claims);
}

function judge(token: string, { jwt }: OwnTokenSettings, nowMs: number, check: () => void): Verdict {
  const knowledge = readOwnToken(token, jwt);
  return giveVerdict(
    () => {
      try {
        check();
        return {};
      } catch (error) {
        throw error instanceof TokenError ? withFigures(error, knowledge.claims ?? {}, nowMs) : error;
      }
    },
    () => knowledge,
  );
}

function checkParticipant(
  token: string,
  { roomName }: TokenQuestion,
  { jwt, revocations }: OwnTokenSettings,
  nowMs: number,
  onlyTranscription: boolean,
): void {
  const caller = revocations.check(verifyOwnToken(token, jwt, nowMs));
  if (caller.kind === "user") {
    if (onlyTranscription) throw new TokenError("audience", "a user's login opens no stream");
    return;
  }
  if (roomName !== undefined && caller.roomName !== roomName)
    throw new TokenError("room", "roomName is another one");
}

function checkRefresh(
  token: string,
  { roomName }: TokenQuestion,
  { jwt, revocations }: OwnTokenSettings,
  nowMs: number,
): void {
  const { grant, tokenId, familyId, issueTime } = readRefreshToken(token, jwt, nowMs);
  const { userId, roomName: ownRoom } = grant;
  if (revocations.isRevoked({ tokenId, familyId, userId, roomName: ownRoom, issueTime }))
    throw new TokenError("revoked", "the token was revoked");
  if (roomName !== undefined && ownRoom !== roomName) throw new TokenError("room", "room is another one");
}

function kindOf({ iss, aud }: Claims, jwt: JwtSettings): TokenKind | undefined {
  if (iss !== jwt.issuer) return undefined;
  if (aud === jwt.audience) return "transcription";
  if (aud === userTokenAudience) return "user";
  return aud === refreshTokenAudience ? "refresh" : undefined;
}

/** The same refusal, of a token that is signed, in figures. */
function withFigures(error: TokenError, claims: Claims, nowMs: number): TokenError {
  const time = (name: string) => (typeof claims[name] === "number" ? claims[name] : undefined);
  const [exp, nbf, iat] = [time("exp"), time("nbf"), time("iat")];
  const leeway = `Parley allows ${clockSkewSeconds} s`;
  const isAhead = (value: number | undefined) =>
    value !== undefined && value > nowMs / 1000 + clockSkewSeconds;
  switch (error.code) {
    case "expired":
      return exp === undefined ? error : expired(exp, nowMs, leeway);
    case "not-yet-valid":
      if (nbf !== undefined && isAhead(nbf)) return notYetValid("nbf", nbf, nowMs, leeway);
      return iat === undefined ? error : notYetValid("iat", iat, nowMs, leeway);
    case "lifetime": {
      if (exp === undefined) return error;
      const lifetime = Math.ceil(exp - (iat ?? nbf ?? nowMs / 1000));
      return new TokenError(
        "lifetime",
        `it is good for ${lifetime} s; Parley allows ${maxLifetimeSeconds} s`,
      );
    }
    default:
      return error;
  }
}
