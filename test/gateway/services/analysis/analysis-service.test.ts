import { randomUUID } from "node:crypto";
import { timestampDate } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import {
  AnalysisService,
  Aspect,
  Difficulty,
  InterviewState,
} from "../../../../gen/ts/parley/analysis/v1/analysis_pb.ts";
import type { Interview } from "../../../../gen/ts/parley/analysis/v1/analysis_pb.ts";
import { haveSession } from "../../../analysis/load-session.ts";
import { startInMemoryServer } from "../token/in-memory-server.ts";
import type { InMemoryServer } from "../token/in-memory-server.ts";

let server: InMemoryServer;
let analysisKey: string;
const ended = `ended-${randomUUID()}`;
const running = `running-${randomUUID()}`;
const answer =
  "Our task was to win customers back. I called thirty of them. As a result half of them returned.";

beforeAll(async () => {
  server = await startInMemoryServer();
  analysisKey = await server.service("analysis");
  await haveSession(server.storage, ended, { userId: "ada", roomName: "room" });
  await haveSession(server.storage, running, { userId: "ada", roomName: "room", ended: false });
});
afterAll(() => server.close());

const asService = () => server.client(AnalysisService, analysisKey);
const asUser = (userId: string) => server.client(AnalysisService, server.user(userId));
const asParticipant = (userId: string, roomName = "room") =>
  server.client(AnalysisService, server.participant(userId, roomName));

async function errorOf(promise: Promise<unknown>): Promise<ConnectError> {
  const error = await promise.then(
    () => expect.unreachable("the call succeeded"),
    (reason: unknown) => reason,
  );
  return ConnectError.from(error);
}

async function watchAll(client: ReturnType<typeof asUser>, interviewId: string): Promise<Interview[]> {
  const seen: Interview[] = [];
  for await (const { interview } of client.watchInterview({ interviewId })) seen.push(interview!);
  return seen;
}

describe("AnalyzeInterview", () => {
  test("by a service, about any session", async () => {
    const { interviewId, state } = await asService().analyzeInterview({
      sessionId: ended,
      caseQuestion: "How many?",
      difficulty: Difficulty.MEDIUM,
      candidateAnswer: answer,
    });
    expect(state).toBe(InterviewState.QUEUED);
    const last = (await watchAll(asService(), interviewId)).at(-1);
    expect(last).toMatchObject({
      interviewId,
      sessionId: ended,
      userId: "ada",
      roomName: "room",
      caseQuestion: "How many?",
      difficulty: Difficulty.MEDIUM,
      candidateAnswer: answer,
      state: InterviewState.DONE,
      failureCause: "",
    });
    const { report } = last!;
    expect(report?.scores.map((score) => score.aspect)).toEqual([
      Aspect.PACE,
      Aspect.FILLERS,
      Aspect.PAUSES,
      Aspect.VARIETY,
      Aspect.STRUCTURE,
      Aspect.COVERAGE,
    ]);
    expect(report?.practices).toHaveLength(3);
    expect(timestampDate(last!.updateTime!) >= timestampDate(last!.createTime!)).toBe(true);
  });

  test("by a service, about a text", async () => {
    const { interviewId } = await asService().analyzeInterview({ userId: "tom", candidateAnswer: answer });
    const last = (await watchAll(asUser("tom"), interviewId)).at(-1);
    expect(last).toMatchObject({ state: InterviewState.DONE, sessionId: "", userId: "tom", difficulty: 0 });
    expect(last?.report?.totalWords).toBe(answer.split(" ").length);
  });

  test("by a participant, about their own session in their own room", async () => {
    const { interviewId } = await asParticipant("ada").analyzeInterview({ sessionId: ended });
    expect((await asUser("ada").getInterview({ interviewId })).interview).toMatchObject({ userId: "ada" });
  });

  test("by a participant without a session is INVALID_ARGUMENT", async () => {
    const error = await errorOf(
      asParticipant("ada").analyzeInterview({ candidateAnswer: answer, userId: "ada" }),
    );
    expect(error.code).toBe(Code.InvalidArgument);
    expect(error.rawMessage).toContain("session_id");
  });

  test("of another user's session, or of another room's, is NOT_FOUND like a session that is not there", async () => {
    const errors = [
      await errorOf(asParticipant("bob").analyzeInterview({ sessionId: ended })),
      await errorOf(asParticipant("bob").analyzeInterview({ sessionId: running })),
      await errorOf(asParticipant("ada", "other").analyzeInterview({ sessionId: ended })),
      await errorOf(asParticipant("ada").analyzeInterview({ sessionId: "none" })),
    ];
    expect(new Set(errors.map((error) => `${error.code} ${error.message}`)).size).toBe(1);
    expect(errors[0]?.code).toBe(Code.NotFound);
  });

  test("of a session that still runs is FAILED_PRECONDITION", async () => {
    for (const client of [asService(), asParticipant("ada")]) {
      const error = await errorOf(client.analyzeInterview({ sessionId: running }));
      expect(error.code).toBe(Code.FailedPrecondition);
      expect(error.rawMessage).toContain("still runs");
    }
  });

  test.each([
    ["nothing to analyse", {}],
    ["a text and no user", { candidateAnswer: "text" }],
    ["another user than the session's", { sessionId: ended, userId: "bob" }],
    ["a question that is too long", { sessionId: ended, caseQuestion: "x".repeat(4001) }],
    ["an answer that is too long", { userId: "ada", candidateAnswer: "x".repeat(100_001) }],
    ["a difficulty that is none", { sessionId: ended, difficulty: 9 as Difficulty }],
  ])("with %s is INVALID_ARGUMENT", async (_, request) => {
    expect((await errorOf(asService().analyzeInterview(request))).code).toBe(Code.InvalidArgument);
  });

  test("of the longest text that there may be ends with a report", async () => {
    const text = "word ".repeat(20_000);
    const { interviewId } = await asService().analyzeInterview({ userId: "long", candidateAnswer: text });
    expect((await watchAll(asService(), interviewId)).at(-1)?.state).toBe(InterviewState.DONE);
  });

  test("keeps what was said as it was said", async () => {
    const candidateAnswer = `"quoted" 'text' \u{1f600} ; drop table interviews; -- \\ % $1`;
    const { interviewId } = await asService().analyzeInterview({ userId: "odd", candidateAnswer });
    const { interview } = await asUser("odd").getInterview({ interviewId });
    expect(interview?.candidateAnswer).toBe(candidateAnswer);
  });
});

describe("interviews of others", () => {
  test("are not there: not to get, not to watch, not to list", async () => {
    const { interviewId } = await asService().analyzeInterview({ userId: "owner", candidateAnswer: answer });
    await watchAll(asUser("owner"), interviewId);
    for (const id of [interviewId, "none"]) {
      const got = await errorOf(asUser("other").getInterview({ interviewId: id }));
      const watched = await errorOf(watchAll(asUser("other"), id));
      for (const error of [got, watched]) {
        expect([error.code, error.rawMessage]).toEqual([Code.NotFound, "interview_id: no such interview"]);
      }
    }
    expect((await asUser("other").listInterviews({})).interviews).toEqual([]);
    expect((await errorOf(asUser("other").listInterviews({ userId: "owner" }))).code).toBe(
      Code.PermissionDenied,
    );
    expect((await asUser("other").listInterviews({ sessionId: ended })).interviews).toEqual([]);
  });
});

describe("ListInterviews", () => {
  test("pages a user's own, newest first and without reports; a service sees whose it asks for", async () => {
    const made: string[] = [];
    for (let index = 0; index < 5; index++) {
      const { interviewId } = await asService().analyzeInterview({
        userId: "lister",
        candidateAnswer: `${index} ${answer}`,
      });
      made.push(interviewId);
    }
    for (const id of made) await watchAll(asService(), id);
    for (const client of [asUser("lister"), asService()]) {
      const listed: string[] = [];
      let pageToken = "";
      do {
        const page = await client.listInterviews({ userId: "lister", pageSize: 2, pageToken });
        expect(page.interviews.length).toBeLessThanOrEqual(2);
        for (const interview of page.interviews) {
          expect(interview).toMatchObject({ userId: "lister", state: InterviewState.DONE });
          expect(interview.report).toBeUndefined();
          listed.push(interview.interviewId);
        }
        pageToken = page.nextPageToken;
      } while (pageToken !== "");
      expect(listed.toSorted()).toEqual(made.toSorted());
    }
    const { interviews } = await asUser("lister").listInterviews({});
    const times = interviews.map((interview) => timestampDate(interview.createTime!).getTime());
    expect(times).toEqual(times.toSorted((one, other) => other - one));
  });

  test("of a session has that session's only", async () => {
    const { interviews } = await asService().listInterviews({ sessionId: ended });
    expect(interviews.length).toBeGreaterThan(0);
    expect(new Set(interviews.map((interview) => interview.sessionId))).toEqual(new Set([ended]));
  });

  test.each([[{ pageSize: 0 }], [{ pageSize: 201 }], [{ pageToken: "x" }]])("refuses %j", async (request) => {
    expect((await errorOf(asUser("ada").listInterviews(request))).code).toBe(Code.InvalidArgument);
  });
});

describe("WatchInterview", () => {
  test("ends after DONE, with the report in its last message only", async () => {
    const { interviewId } = await asService().analyzeInterview({ userId: "eve", candidateAnswer: answer });
    const seen = await watchAll(asUser("eve"), interviewId);
    const states = seen.map((interview) => interview.state);
    expect(states).toEqual(states.toSorted((one, other) => one - other));
    expect(states.at(-1)).toBe(InterviewState.DONE);
    expect(seen.map((interview) => interview.report !== undefined)).toEqual(
      states.map((s) => s === InterviewState.DONE),
    );
  });

  test("begins with the state that is, and streams each that comes, to FAILED with its cause", async () => {
    const interviewId = randomUUID();
    const times = { createTime: new Date(), updateTime: new Date() };
    await server.storage.interviews.create({ interviewId, userId: "eve", state: "queued", ...times });
    const seen: Interview[] = [];
    for await (const { interview } of asUser("eve").watchInterview({ interviewId })) {
      seen.push(interview!);
      const { updateTime } = times;
      if (interview?.state === InterviewState.QUEUED) {
        await server.storage.interviews.update(interviewId, { state: "running", updateTime });
      } else if (interview?.state === InterviewState.RUNNING) {
        await server.storage.interviews.update(interviewId, {
          state: "failed",
          failureCause: "no luck",
          updateTime,
        });
      }
    }
    expect(seen.map((interview) => interview.state)).toEqual([
      InterviewState.QUEUED,
      InterviewState.RUNNING,
      InterviewState.FAILED,
    ]);
    expect(seen.at(-1)).toMatchObject({ failureCause: "no luck" });
  });

  test("that its client cancels is no internal error", async () => {
    const interviewId = randomUUID();
    const times = { createTime: new Date(), updateTime: new Date() };
    await server.storage.interviews.create({ interviewId, userId: "eve", state: "queued", ...times });
    const controller = new AbortController();
    const watching = (async () => {
      for await (const _ of asUser("eve").watchInterview({ interviewId }, { signal: controller.signal }))
        controller.abort();
    })();
    expect((await errorOf(watching)).code).toBe(Code.Canceled);
    await vi.waitFor(async () => {
      await server.storage.interviews.update(interviewId, { state: "done", updateTime: new Date() });
    });
    expect(server.internalErrors).toEqual([]);
  });
});

test("nothing of all this was an internal error", () => {
  expect(server.internalErrors).toEqual([]);
});
