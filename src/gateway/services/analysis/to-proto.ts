/** Interviews and reports as messages of parley.analysis.v1, and difficulties back. Computes nothing. */
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { MessageInitShape } from "@bufbuild/protobuf";
import {
  Aspect as ProtoAspect,
  Difficulty as ProtoDifficulty,
  InterviewState as ProtoState,
} from "../../../../gen/ts/parley/analysis/v1/analysis_pb.ts";
import type { InterviewSchema, ReportSchema } from "../../../../gen/ts/parley/analysis/v1/analysis_pb.ts";
import type { Difficulty, InterviewState, StoredInterview } from "../../../analysis/interview-store.ts";
import type { Aspect, Report } from "../../../analysis/report.ts";
import { given } from "../optional.ts";

export function interviewToProto(interview: StoredInterview): MessageInitShape<typeof InterviewSchema> {
  return {
    interviewId: interview.interviewId,
    userId: interview.userId,
    state: interviewStates[interview.state],
    createTime: timestampFromDate(interview.createTime),
    updateTime: timestampFromDate(interview.updateTime),
    ...given("sessionId", interview.sessionId),
    ...given("roomName", interview.roomName),
    ...given("caseQuestion", interview.caseQuestion),
    ...given("candidateAnswer", interview.candidateAnswer),
    ...given("failureCause", interview.failureCause),
    ...(interview.difficulty && { difficulty: difficulties[interview.difficulty] }),
    ...(interview.report && { report: reportToProto(interview.report) }),
  };
}

/** Undefined for UNSPECIFIED. */
export function difficultyFromProto(value: ProtoDifficulty): Difficulty | undefined {
  return (Object.keys(difficulties) as Difficulty[]).find((difficulty) => difficulties[difficulty] === value);
}

export function interviewStateToProto(state: InterviewState): ProtoState {
  return interviewStates[state];
}

function reportToProto(report: Report): MessageInitShape<typeof ReportSchema> {
  const withAspect = <T extends { readonly aspect: Aspect; readonly evidence: readonly object[] }>(
    item: T,
  ) => ({
    ...item,
    aspect: aspects[item.aspect],
    evidence: [...item.evidence],
  });
  return { ...report, scores: report.scores.map(withAspect), practices: report.practices.map(withAspect) };
}

const interviewStates = {
  queued: ProtoState.QUEUED,
  running: ProtoState.RUNNING,
  done: ProtoState.DONE,
  failed: ProtoState.FAILED,
} as const;

const difficulties = {
  easy: ProtoDifficulty.EASY,
  medium: ProtoDifficulty.MEDIUM,
  hard: ProtoDifficulty.HARD,
} as const;

const aspects = {
  pace: ProtoAspect.PACE,
  fillers: ProtoAspect.FILLERS,
  pauses: ProtoAspect.PAUSES,
  variety: ProtoAspect.VARIETY,
  structure: ProtoAspect.STRUCTURE,
  coverage: ProtoAspect.COVERAGE,
} as const;
