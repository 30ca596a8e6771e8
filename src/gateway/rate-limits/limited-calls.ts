/** Which calls are limited, and as what: those that make tokens or rooms, judge tokens, or open streams. */
import type { DescMethod } from "@bufbuild/protobuf";
import { TokenService } from "../../../gen/ts/parley/token/v1/token_pb.ts";
import { TranscriptionService } from "../../../gen/ts/parley/transcription/v1/transcription_pb.ts";

export type LimitedKind = "mint" | "validate" | "open";

const { method: token } = TokenService;

const kinds: ReadonlyMap<DescMethod, LimitedKind> = new Map<DescMethod, LimitedKind>([
  [token.createSessionTokens, "mint"],
  [token.createTranscriptionToken, "mint"],
  [token.createLiveKitToken, "mint"],
  [token.createJitsiToken, "mint"],
  [token.createSfuToken, "mint"],
  [token.refreshToken, "mint"],
  [token.revokeTokens, "mint"],
  [token.createRoom, "mint"],
  [token.updateRoom, "mint"],
  [token.deleteRoom, "mint"],
  [token.validateToken, "validate"],
  [TranscriptionService.method.transcribe, "open"],
  [TranscriptionService.method.watchSession, "open"],
]);

/** Undefined for a call that is not limited. */
export function limitedKind(method: DescMethod): LimitedKind | undefined {
  return kinds.get(method);
}
