/** GetStats. */
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import type { TokenService } from "../../../../gen/ts/parley/token/v1/token_pb.ts";
import type { CallStats } from "../../stats/call-stats.ts";

export interface StatsDependencies {
  readonly stats: CallStats;
  /** Rooms in which somebody is being transcribed by this process. */
  readonly activeRoomCount: () => number;
}

export function statsMethods({
  stats,
  activeRoomCount,
}: StatsDependencies): Pick<ServiceImpl<typeof TokenService>, "getStats"> {
  return {
    getStats() {
      const { startTime, tokens, errorRate, latencies } = stats.counts();
      return {
        startTime: timestampFromDate(startTime),
        tokenCounts: tokens.map((count) => ({ ...count, total: BigInt(count.total) })),
        errorRate,
        latencies: latencies.map((latency) => ({ ...latency, count: BigInt(latency.count) })),
        activeRoomCount: activeRoomCount(),
      };
    },
  };
}
