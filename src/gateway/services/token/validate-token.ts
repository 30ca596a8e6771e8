/** ValidateToken: what is to say of a token. A bad token is an answer, not an error. */
import type { JsonObject, MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import { Target, TokenKind, ValidityReason } from "../../../../gen/ts/parley/token/v1/token_pb.ts";
import type {
  TokenService,
  ValidateTokenResponseSchema,
} from "../../../../gen/ts/parley/token/v1/token_pb.ts";
import type { SessionTarget } from "../../../token/refresh/refresh-token.ts";
import { judgeToken } from "../../../token/targets/judge-token.ts";
import type { JudgeSettings } from "../../../token/targets/judge-token.ts";
import type { Verdict } from "../../../token/targets/verdict.ts";
import { given } from "../optional.ts";

export interface ValidateTokenDependencies extends JudgeSettings {
  readonly now: () => number;
}

export function validateTokenMethods(
  dependencies: ValidateTokenDependencies,
): Pick<ServiceImpl<typeof TokenService>, "validateToken"> {
  return {
    async validateToken({ token, target, roomName, tenant }) {
      const question = { ...given("roomName", roomName), ...given("tenant", tenant) };
      return describe(await judgeToken(token, targets[target], question, dependencies, dependencies.now()));
    },
  };
}

function describe(verdict: Verdict): MessageInitShape<typeof ValidateTokenResponseSchema> {
  const { reason, detail, kind, claims, expireTime, moderation } = verdict;
  return {
    valid: reason === "ok",
    reason: reasons[reason],
    detail,
    ...(kind && { kind: kinds[kind] }),
    ...(claims && { claims: claims as JsonObject }),
    ...(expireTime && { expireTime: timestampFromDate(expireTime) }),
    ...(moderation && { jitsiModeration: moderation }),
  };
}

const targets: Readonly<Record<Target, SessionTarget | undefined>> = {
  [Target.UNSPECIFIED]: undefined,
  [Target.LIVEKIT]: "livekit",
  [Target.TRANSCRIPTION]: "transcription",
  [Target.JITSI]: "jitsi",
  [Target.SFU]: "sfu",
};

const kinds: Readonly<Record<NonNullable<Verdict["kind"]>, TokenKind>> = {
  user: TokenKind.USER,
  transcription: TokenKind.TRANSCRIPTION,
  refresh: TokenKind.REFRESH,
  livekit: TokenKind.LIVEKIT,
  jitsi: TokenKind.JITSI,
  sfu: TokenKind.SFU,
};

const reasons: Readonly<Record<Verdict["reason"], ValidityReason>> = {
  ok: ValidityReason.OK,
  malformed: ValidityReason.MALFORMED,
  algorithm: ValidityReason.ALGORITHM,
  signature: ValidityReason.SIGNATURE,
  expired: ValidityReason.EXPIRED,
  "not-yet-valid": ValidityReason.NOT_YET_VALID,
  issuer: ValidityReason.ISSUER,
  subject: ValidityReason.SUBJECT,
  audience: ValidityReason.AUDIENCE,
  claim: ValidityReason.CLAIM,
  room: ValidityReason.ROOM,
  grant: ValidityReason.GRANT,
  revoked: ValidityReason.REVOKED,
  spent: ValidityReason.REVOKED,
  lifetime: ValidityReason.LIFETIME,
  "not-configured": ValidityReason.TARGET_NOT_CONFIGURED,
};
