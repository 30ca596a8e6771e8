/** GetLiveKitStatus. */
import type { ServiceImpl } from "@connectrpc/connect";
import type { TokenService } from "../../../../gen/ts/parley/token/v1/token_pb.ts";
import type { LiveKitServer } from "../../../token/targets/livekit/livekit-server.ts";

export interface LiveKitStatusDependencies {
  /** Absent: LiveKit is not configured. */
  readonly liveKitServer?: Pick<LiveKitServer, "status" | "url">;
}

export function liveKitStatusMethods({
  liveKitServer,
}: LiveKitStatusDependencies): Pick<ServiceImpl<typeof TokenService>, "getLiveKitStatus"> {
  return {
    async getLiveKitStatus() {
      if (!liveKitServer) return { configured: false };
      const { state, roomCount, latencyMs } = await liveKitServer.status();
      return {
        configured: true,
        // What answers as no LiveKit server does is none.
        reachable: state === "ok" || state === "unauthorized",
        authorized: state === "ok",
        roomCount,
        latencyMs,
        url: liveKitServer.url,
      };
    },
  };
}
