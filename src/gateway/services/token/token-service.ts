/** TokenService over Connect, put together from its parts. Signs and decides nothing itself. */
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { JsonObject } from "@bufbuild/protobuf";
import type { ServiceImpl } from "@connectrpc/connect";
import { Target, TokenKind, ValidityReason } from "../../../../gen/ts/parley/token/v1/token_pb.ts";
import type { TokenService } from "../../../../gen/ts/parley/token/v1/token_pb.ts";
import type { Revocations } from "../../../token/revocation/revocations.ts";
import { TokenRequestError } from "../../../token/token-error.ts";
import { validateOwnToken } from "../../../token/targets/transcription/judge-token.ts";
import { given } from "../optional.ts";
import { apiKeyMethods } from "./api-keys.ts";
import type { ApiKeyDependencies } from "./api-keys.ts";
import { revokeMethods } from "./revoke-tokens.ts";
import type { RevokeDependencies } from "./revoke-tokens.ts";
import { sessionTokenMethods } from "./session-tokens.ts";
import type { SessionTokenDependencies } from "./session-tokens.ts";

export type TokenServiceDependencies = SessionTokenDependencies &
  RevokeDependencies &
  ApiKeyDependencies & {
    readonly revocations: Revocations;
  };

export function tokenService(
  dependencies: TokenServiceDependencies,
): Partial<ServiceImpl<typeof TokenService>> {
  const { jwt, livekit, now } = dependencies;
  return {
    ...sessionTokenMethods(dependencies),

    validateToken(request) {
      if (request.target === Target.LIVEKIT && livekit) {
        throw new TokenRequestError("unsupported", "target: this server judges only its own tokens yet");
      }
      if (request.target !== Target.UNSPECIFIED && request.target !== Target.TRANSCRIPTION) {
        return { valid: false, reason: ValidityReason.TARGET_NOT_CONFIGURED };
      }
      const verdict = validateOwnToken(
        request.token,
        {
          ...given("roomName", request.roomName),
          onlyTranscription: request.target === Target.TRANSCRIPTION,
        },
        jwt,
        dependencies.revocations,
        now(),
      );
      return {
        valid: verdict.reason === "ok",
        reason: reasons[verdict.reason],
        kind: verdict.kind === undefined ? TokenKind.UNSPECIFIED : kinds[verdict.kind],
        ...(verdict.claims && { claims: verdict.claims as JsonObject }),
        ...(verdict.expireTime && { expireTime: timestampFromDate(verdict.expireTime) }),
      };
    },

    ...revokeMethods(dependencies),
    ...apiKeyMethods(dependencies),
  };
}

const kinds = { user: TokenKind.USER, participant: TokenKind.TRANSCRIPTION } as const;

const reasons = {
  ok: ValidityReason.OK,
  malformed: ValidityReason.MALFORMED,
  algorithm: ValidityReason.ALGORITHM,
  signature: ValidityReason.SIGNATURE,
  expired: ValidityReason.EXPIRED,
  "not-yet-valid": ValidityReason.NOT_YET_VALID,
  issuer: ValidityReason.ISSUER,
  audience: ValidityReason.AUDIENCE,
  claim: ValidityReason.CLAIM,
  room: ValidityReason.ROOM,
  revoked: ValidityReason.REVOKED,
  lifetime: ValidityReason.LIFETIME,
} as const;
