/** GetProgress: a user's own, or for a service anybody's. */
import { timestampDate, timestampFromDate } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import type { ServiceImpl } from "@connectrpc/connect";
import type { AnalysisService } from "../../../../gen/ts/parley/analysis/v1/analysis_pb.ts";
import { measureProgress } from "../../../analysis/measure-progress.ts";
import type { ProgressSource } from "../../../analysis/measure-progress.ts";
import { requireCaller } from "../../interceptors/credentials.ts";

export interface ProgressDependencies {
  readonly progress: ProgressSource;
}

export function progressMethods({
  progress,
}: ProgressDependencies): Pick<ServiceImpl<typeof AnalysisService>, "getProgress"> {
  return {
    async getProgress({ userId, afterTime }, context) {
      const caller = requireCaller(context, "user", "service");
      const own = caller.kind === "user" ? caller.userId : undefined;
      if (own !== undefined && userId !== "" && userId !== own)
        throw new ConnectError("user_id: a user may send only their own id", Code.PermissionDenied);
      const asked = own ?? userId;
      if (asked === "") throw new ConnectError("user_id: a service must name the user", Code.InvalidArgument);
      const query = { userId: asked, ...(afterTime && { after: timestampDate(afterTime) }) };
      const series = await measureProgress(query, progress);
      return {
        series: series.map(({ points, ...described }) => ({
          ...described,
          points: points.map(({ sessionTime, ...point }) => ({
            ...point,
            sessionTime: timestampFromDate(sessionTime),
          })),
        })),
      };
    },
  };
}
