/** AnalysisService over Connect: reads requests, asks analysis/, writes answers. */
import { Code, ConnectError } from "@connectrpc/connect";
import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import type { AnalysisService } from "../../../../gen/ts/parley/analysis/v1/analysis_pb.ts";
import type { InterviewOwner, Interviews } from "../../../analysis/interviews.ts";
import { requireCaller } from "../../interceptors/credentials.ts";
import { given } from "../optional.ts";
import { readPage } from "../page.ts";
import { progressMethods } from "./progress.ts";
import type { ProgressDependencies } from "./progress.ts";
import { userModuleMethods } from "./user-modules.ts";
import type { UserModuleDependencies } from "./user-modules.ts";
import { difficultyFromProto, interviewStateToProto, interviewToProto } from "./to-proto.ts";

export interface AnalysisServiceDependencies extends UserModuleDependencies, ProgressDependencies {
  readonly interviews: Interviews;
}

/** What a later version serves is left out; Connect answers UNIMPLEMENTED to it. */
export function analysisService({
  interviews,
  userModules,
  progress,
}: AnalysisServiceDependencies): Partial<ServiceImpl<typeof AnalysisService>> {
  return {
    async analyzeInterview(request, context) {
      const caller = requireCaller(context, "participant", "service");
      const owner =
        caller.kind === "participant" ? { userId: caller.userId, roomName: caller.roomName } : undefined;
      if (owner && request.sessionId === "") {
        throw new ConnectError(
          "session_id: required; a participant may have only their own session analysed",
          Code.InvalidArgument,
        );
      }
      const interview = await interviews.request(
        {
          ...given("sessionId", request.sessionId),
          ...given("userId", request.userId),
          ...given("roomName", request.roomName),
          ...given("caseQuestion", request.caseQuestion),
          ...given("candidateAnswer", request.candidateAnswer),
          ...given("difficulty", difficultyFromProto(request.difficulty)),
        },
        owner,
      );
      return { interviewId: interview.interviewId, state: interviewStateToProto(interview.state) };
    },

    async getInterview(request, context) {
      return { interview: interviewToProto(await interviews.get(request.interviewId, ownerOf(context))) };
    },

    async listInterviews(request, context) {
      const owner = ownerOf(context);
      if (owner && request.userId !== "" && request.userId !== owner.userId) {
        throw new ConnectError("user_id: a user may list only their own interviews", Code.PermissionDenied);
      }
      const page = await interviews.list(
        { ...given("userId", owner?.userId ?? request.userId), ...given("sessionId", request.sessionId) },
        readPage(request),
      );
      return { interviews: page.items.map(interviewToProto), nextPageToken: page.next ?? "" };
    },

    async *watchInterview(request, context) {
      for await (const interview of interviews.watch(request.interviewId, ownerOf(context), context.signal)) {
        yield { interview: interviewToProto(interview) };
      }
    },

    ...progressMethods({ progress }),
    ...userModuleMethods({ userModules }),
  };
}

/** Undefined for a service, to whom everything is open. */
function ownerOf(context: HandlerContext): InterviewOwner | undefined {
  const caller = requireCaller(context, "user", "service");
  return caller.kind === "user" ? { userId: caller.userId } : undefined;
}
