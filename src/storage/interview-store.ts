/** The table `interviews`: what was asked to be analysed, how far it is, and the report. */
import { sql } from "kysely";
import type { Selectable } from "kysely";
import type {
  Difficulty,
  InterviewState,
  InterviewStore,
  StoredInterview,
} from "../analysis/interview-store.ts";
import { olderThan, readPageToken, rowsToFetch, toPage } from "./page-token.ts";
import { json } from "./storable-text.ts";
import type { Database, InterviewTable } from "./tables.ts";

const columnsButReport = [
  "interview_id",
  "session_id",
  "user_id",
  "room_name",
  "case_question",
  "difficulty",
  "candidate_answer",
  "state",
  "failure_cause",
  "create_time",
  "update_time",
] as const;

export function interviewStore(db: Database): InterviewStore {
  return {
    async create(interview) {
      await db
        .insertInto("interviews")
        .values({
          interview_id: interview.interviewId,
          session_id: interview.sessionId ?? null,
          user_id: interview.userId,
          room_name: interview.roomName ?? null,
          case_question: interview.caseQuestion ?? null,
          difficulty: interview.difficulty ?? null,
          candidate_answer: interview.candidateAnswer ?? null,
          state: interview.state,
          failure_cause: interview.failureCause ?? null,
          report: interview.report === undefined ? null : json(interview.report),
          create_time: interview.createTime,
          update_time: interview.updateTime,
        })
        .execute();
    },

    async get(interviewId) {
      const row = await db
        .selectFrom("interviews")
        .selectAll()
        .where("interview_id", "=", interviewId)
        .executeTakeFirst();
      return row && toInterview(row);
    },

    async list(filter, page) {
      const after = readPageToken("interviews", page);
      let query = db
        .selectFrom("interviews")
        .select(columnsButReport)
        .orderBy("create_time", "desc")
        .orderBy("interview_id", "desc")
        .limit(rowsToFetch(page));
      if (filter.userId !== undefined) query = query.where("user_id", "=", filter.userId);
      if (filter.sessionId !== undefined) query = query.where("session_id", "=", filter.sessionId);
      if (after) query = query.where(olderThan("interview_id", after));
      const found = (await query.execute()).map((row) => toInterview({ ...row, report: null }));
      return toPage("interviews", page, found, (item) => ({
        createTime: item.createTime,
        id: item.interviewId,
      }));
    },

    async overallScores(sessionIds) {
      if (sessionIds.length === 0) return new Map();
      const score = sql<number>`(report ->> 'overallScore')::int4`;
      const rows = await db
        .selectFrom("interviews")
        .distinctOn("session_id")
        .select(["session_id", score.as("score")])
        .where("session_id", "in", sessionIds)
        .where("state", "=", "done")
        .where(score, "is not", null)
        .orderBy("session_id")
        .orderBy("update_time", "desc")
        .execute();
      return new Map(rows.map((row) => [row.session_id ?? "", row.score]));
    },

    async update(interviewId, change) {
      const updated = await db
        .updateTable("interviews")
        .set({
          state: change.state,
          failure_cause: change.failureCause ?? null,
          report: change.report === undefined ? null : json(change.report),
          update_time: change.updateTime,
        })
        .where("interview_id", "=", interviewId)
        .where("state", "not in", ["done", "failed"])
        .executeTakeFirst();
      return updated.numUpdatedRows === 1n;
    },
  };
}

function toInterview(row: Selectable<InterviewTable>): StoredInterview {
  return {
    interviewId: row.interview_id,
    userId: row.user_id,
    state: row.state as InterviewState,
    createTime: row.create_time,
    updateTime: row.update_time,
    ...(row.session_id !== null && { sessionId: row.session_id }),
    ...(row.room_name !== null && { roomName: row.room_name }),
    ...(row.case_question !== null && { caseQuestion: row.case_question }),
    ...(row.difficulty !== null && { difficulty: row.difficulty as Difficulty }),
    ...(row.candidate_answer !== null && { candidateAnswer: row.candidate_answer }),
    ...(row.failure_cause !== null && { failureCause: row.failure_cause }),
    ...(row.report !== null && { report: row.report as NonNullable<StoredInterview["report"]> }),
  };
}
