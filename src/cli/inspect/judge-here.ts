/** Judges a token with the secrets of this machine, for when no server answers. What was revoked is not known here. */
import { randomBytes } from "node:crypto";
import { readConfig } from "../../config.ts";
import { readJitsiSettings, readJwtKeys } from "../../read-key-files.ts";
import { readLocalSecrets } from "../../token/keys/local-secrets.ts";
import type { SessionTarget } from "../../token/refresh/refresh-token.ts";
import { judgeToken } from "../../token/targets/judge-token.ts";
import type { TokenQuestion, Verdict } from "../../token/targets/verdict.ts";

/** Undefined when there is no secret here that it could be judged with. */
export async function judgeHere(
  token: string,
  target: SessionTarget | undefined,
  question: TokenQuestion,
  nowMs: number,
): Promise<Verdict | undefined> {
  const config = readConfig();
  const secret = config.jwt.secret ?? (await readLocalSecrets(config.dataDir))?.jwtSecret;
  const [eddsa, jitsi] = [await readJwtKeys(config), await readJitsiSettings(config)];
  const { livekit, sfu } = config;
  if (secret === undefined && !eddsa && !jitsi && !livekit && !sfu) return undefined;
  return judgeToken(
    token,
    target,
    question,
    {
      // Without a secret nothing is signed with it.
      jwt: { ...config.jwt, secret: secret ?? randomBytes(32).toString("hex"), ...(eddsa && { eddsa }) },
      revocations: { check: (caller) => caller, isRevoked: () => false },
      ...(livekit && { livekit }),
      ...(jitsi && { jitsi }),
      ...(sfu && { sfu }),
    },
    nowMs,
  );
}
