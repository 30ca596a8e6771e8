/** TokenService over Connect, put together from its parts. Signs and decides nothing itself. */
import type { ServiceImpl } from "@connectrpc/connect";
import type { TokenService } from "../../../../gen/ts/parley/token/v1/token_pb.ts";
import { apiKeyMethods } from "./api-keys.ts";
import type { ApiKeyDependencies } from "./api-keys.ts";
import { auditMethods } from "./audit-events.ts";
import type { AuditDependencies } from "./audit-events.ts";
import { jitsiTokenMethods } from "./jitsi-token.ts";
import type { JitsiTokenDependencies } from "./jitsi-token.ts";
import { liveKitTokenMethods } from "./livekit-token.ts";
import type { LiveKitTokenDependencies } from "./livekit-token.ts";
import { liveKitStatusMethods } from "./livekit-status.ts";
import type { LiveKitStatusDependencies } from "./livekit-status.ts";
import { revokeMethods } from "./revoke-tokens.ts";
import type { RevokeDependencies } from "./revoke-tokens.ts";
import { roomMethods } from "./rooms.ts";
import type { RoomDependencies } from "./rooms.ts";
import { sessionTokenMethods } from "./session-tokens.ts";
import type { SessionTokenDependencies } from "./session-tokens.ts";
import { sfuTokenMethods } from "./sfu-token.ts";
import type { SfuTokenDependencies } from "./sfu-token.ts";
import { statsMethods } from "./stats.ts";
import type { StatsDependencies } from "./stats.ts";
import { validateTokenMethods } from "./validate-token.ts";
import type { ValidateTokenDependencies } from "./validate-token.ts";

export type TokenServiceDependencies = SessionTokenDependencies &
  LiveKitTokenDependencies &
  JitsiTokenDependencies &
  SfuTokenDependencies &
  ValidateTokenDependencies &
  RevokeDependencies &
  RoomDependencies &
  LiveKitStatusDependencies &
  ApiKeyDependencies &
  AuditDependencies &
  StatsDependencies;

export function tokenService(dependencies: TokenServiceDependencies): ServiceImpl<typeof TokenService> {
  return {
    ...sessionTokenMethods(dependencies),
    ...liveKitTokenMethods(dependencies),
    ...jitsiTokenMethods(dependencies),
    ...sfuTokenMethods(dependencies),
    ...validateTokenMethods(dependencies),
    ...revokeMethods(dependencies),
    ...roomMethods(dependencies),
    ...liveKitStatusMethods(dependencies),
    ...apiKeyMethods(dependencies),
    ...auditMethods(dependencies),
    ...statsMethods(dependencies),
  };
}
