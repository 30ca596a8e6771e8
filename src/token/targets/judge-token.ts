/**
 * Finds the judge of a token: the one of the server that is named, or else of the one that the token was made for, as its
 * signature and its claims say.
 */
import type { UserCaller } from "../caller.ts";
import { isOwnToken } from "../credentials/verify-credential.ts";
import { hmacKey } from "../jwt/jwt-key.ts";
import { peekToken } from "../jwt/verify-jwt.ts";
import type { Claims } from "../jwt/verify-jwt.ts";
import type { SessionTarget } from "../refresh/refresh-token.ts";
import { TokenError } from "../token-error.ts";
import { judgeJitsiToken } from "./jitsi/judge-token.ts";
import type { JitsiSettings } from "./jitsi/jitsi-settings.ts";
import type { LiveKitSettings } from "./livekit/issue-token.ts";
import { judgeLiveKitToken } from "./livekit/judge-token.ts";
import { notConfigured } from "./required-variables.ts";
import type { SfuSettings } from "./sfu/issue-token.ts";
import { judgeSfuToken } from "./sfu/judge-token.ts";
import { judgeOwnToken, judgeTranscriptionToken, readOwnToken } from "./transcription/judge-token.ts";
import type { OwnTokenSettings } from "./transcription/judge-token.ts";
import { giveVerdict, isSignedWith, knowledgeOf } from "./verdict.ts";
import type { TokenQuestion, Verdict } from "./verdict.ts";

export interface JudgeSettings extends OwnTokenSettings {
  /** Absent, like the others: not configured. */
  readonly livekit?: LiveKitSettings;
  readonly jitsi?: JitsiSettings;
  readonly sfu?: SfuSettings;
  /** Logins of other issuers. Absent: none are taken. */
  readonly oidc?: { readonly verify: (token: string, nowMs: number) => Promise<UserCaller> };
}

/** Rejects only when it cannot be told, such as when an issuer's keys cannot be had. */
export async function judgeToken(
  token: string,
  target: SessionTarget | undefined,
  question: TokenQuestion,
  settings: JudgeSettings,
  nowMs: number,
): Promise<Verdict> {
  const judge = judges[target ?? findTarget(token, settings)];
  return judge(token, question, settings, nowMs);
}

type Judge = (
  token: string,
  question: TokenQuestion,
  settings: JudgeSettings,
  nowMs: number,
) => Verdict | Promise<Verdict>;

const judges: Readonly<Record<SessionTarget | "login" | "own" | "nobody", Judge>> = {
  livekit: (token, question, { livekit }, nowMs) =>
    livekit ? judgeLiveKitToken(token, question, livekit, nowMs) : unknown("livekit"),
  jitsi: (token, question, { jitsi }, nowMs) =>
    jitsi ? judgeJitsiToken(token, question, jitsi, nowMs) : unknown("jitsi"),
  sfu: (token, question, { sfu }, nowMs) =>
    sfu ? judgeSfuToken(token, question, sfu, nowMs) : unknown("sfu"),
  transcription: judgeTranscriptionToken,
  own: judgeOwnToken,
  login: judgeLogin,
  nobody: judgeUnreadable,
};

function unknown(target: keyof typeof judges & Parameters<typeof notConfigured>[0]): Verdict {
  return { reason: "not-configured", detail: `target: ${notConfigured(target)}` };
}

/** Of what several secrets have signed, which are then the same, the claims tell; of what none has, they are all there is. */
function findTarget(token: string, settings: JudgeSettings): keyof typeof judges {
  let claims: Claims;
  try {
    claims = peekToken(token).claims;
    if (settings.oidc && !isOwnToken(token, settings.jwt) && !isOfJitsi(token, claims, settings))
      return "login";
  } catch {
    return "nobody"; // what cannot be read was made for none of them
  }
  const targets = candidates(token, claims, settings);
  const found =
    targets.find(({ isSigned, isNamed }) => isSigned && isNamed) ??
    targets.find(({ isSigned }) => isSigned) ??
    targets.find(({ isNamed }) => isNamed);
  return found?.target ?? "own";
}

interface Candidate {
  readonly target: "own" | "livekit" | "jitsi" | "sfu";
  readonly isSigned: boolean;
  /** Whether the claims say that the token is for it. */
  readonly isNamed: boolean;
}

function candidates(token: string, claims: Claims, settings: JudgeSettings): readonly Candidate[] {
  const { jwt, livekit, jitsi, sfu } = settings;
  const own = readOwnToken(token, jwt);
  return [
    { target: "own", isSigned: own.claims !== undefined, isNamed: own.kind !== undefined },
    ...(livekit
      ? [
          {
            target: "livekit",
            isSigned: isSignedWith(token, hmacKey(livekit.apiSecret)),
            // Its tokens have no audience, whoever else may go by the same name.
            isNamed: claims["iss"] === livekit.apiKey && claims["aud"] === undefined,
          } as const,
        ]
      : []),
    ...(jitsi
      ? [
          {
            target: "jitsi",
            isSigned: isSignedWith(token, jitsi.key),
            isNamed: claims["iss"] === jitsi.appId,
          } as const,
        ]
      : []),
    ...(sfu
      ? [
          {
            target: "sfu",
            isSigned: isSignedWith(token, hmacKey(sfu.jwtSecret)),
            isNamed: claims["iss"] === undefined && Object.hasOwn(claims, "user_id"),
          } as const,
        ]
      : []),
  ];
}

/** Jitsi's may be signed with a key pair, as the logins of other issuers are. */
function isOfJitsi(token: string, claims: Claims, { jitsi }: JudgeSettings): boolean {
  return jitsi !== undefined && (claims["iss"] === jitsi.appId || isSignedWith(token, jitsi.key));
}

/** Says what is malformed. */
function judgeUnreadable(token: string): Verdict {
  return giveVerdict(
    () => {
      peekToken(token);
      return {};
    },
    () => ({}),
  );
}

async function judgeLogin(
  token: string,
  _: TokenQuestion,
  { oidc }: JudgeSettings,
  nowMs: number,
): Promise<Verdict> {
  try {
    await oidc?.verify(token, nowMs);
    return { reason: "ok", detail: "", ...knowledgeOf("user", peekToken(token).claims) };
  } catch (error) {
    if (!(error instanceof TokenError)) throw error;
    return { reason: error.code, detail: error.message };
  }
}
