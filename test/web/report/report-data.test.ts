/** A report as it comes: sessions that run, analyses that take their time or fail, and who may see what. */
import { create } from "@bufbuild/protobuf";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { Code, ConnectError, createClient, createRouterTransport } from "@connectrpc/connect";
import type { ServiceImpl } from "@connectrpc/connect";
import { afterEach, expect, test } from "vitest";
import { AnalysisService, InterviewState } from "../../../gen/ts/parley/analysis/v1/analysis_pb.ts";
import type { WatchInterviewResponseSchema } from "../../../gen/ts/parley/analysis/v1/analysis_pb.ts";
import {
  SessionState,
  SessionSummarySchema,
  TranscriptionService,
} from "../../../gen/ts/parley/transcription/v1/transcription_pb.ts";
import { ReportData } from "../../../src/web/report/report-data.ts";

const open: ReportData[] = [];
afterEach(() => {
  for (const data of open.splice(0)) data.close();
});

interface Behaviour {
  readonly getSession?: Partial<ServiceImpl<typeof TranscriptionService>>["getSession"];
  readonly analysis?: Partial<ServiceImpl<typeof AnalysisService>>;
  readonly summary?: ConstructorParameters<typeof ReportData>[0]["summary"];
}

const ended = {
  session: { sessionId: "s1", state: SessionState.ENDED },
  summary: { sessionId: "s1", totalWords: 3 },
};

function openReport({ getSession = () => ended, analysis = {}, summary }: Behaviour): ReportData {
  const transport = createRouterTransport(({ service }) => {
    service(TranscriptionService, { getSession });
    service(AnalysisService, { listInterviews: () => ({ interviews: [] }), ...analysis });
  });
  const data = new ReportData({
    sessionId: "s1",
    clients: {
      transcription: createClient(TranscriptionService, transport),
      analysis: createClient(AnalysisService, transport),
    },
    summary,
  });
  open.push(data);
  return data;
}

test("a session that is over is there, without an analysis that nobody asked for", async () => {
  const data = openReport({});
  await expect.poll(() => data.session.value).toMatchObject({ name: "there", summary: { totalWords: 3 } });
  await expect.poll(() => data.analysis.value.name).toBe("none");
});

test("the newest analysis is followed until it is done", async () => {
  const states: MessageInitShape<typeof WatchInterviewResponseSchema>[] = [
    { interview: { interviewId: "i2", state: InterviewState.QUEUED } },
    { interview: { interviewId: "i2", state: InterviewState.DONE, report: { overallScore: 70 } } },
  ];
  const next = Promise.withResolvers<undefined>();
  const data = openReport({
    analysis: {
      listInterviews: ({ sessionId }) => ({ interviews: sessionId === "s1" ? [{ interviewId: "i2" }] : [] }),
      async *watchInterview({ interviewId }) {
        if (interviewId !== "i2") return;
        yield states[0]!;
        await next.promise;
        yield states[1]!;
      },
    },
  });
  await expect.poll(() => data.analysis.value).toMatchObject({ interview: { state: InterviewState.QUEUED } });
  next.resolve(undefined);
  await expect.poll(() => data.analysis.value).toMatchObject({ interview: { report: { overallScore: 70 } } });
});

test("a server that cannot be reached is told from a session that is not there, and can be asked again", async () => {
  let isThere = false;
  const data = openReport({
    getSession: () => {
      if (!isThere) throw new ConnectError("away", Code.Unavailable);
      return ended;
    },
  });
  await expect
    .poll(() => data.session.value)
    .toMatchObject({ name: "failed", error: { code: Code.Unavailable } });
  isThere = true;
  data.reload();
  await expect.poll(() => data.session.value.name).toBe("there");
});

test("whoever may not ask for sessions sees the summary that this page was sent, and no scores", async () => {
  const refuse = () => {
    throw new ConnectError("not for participants", Code.PermissionDenied);
  };
  const summary = create(SessionSummarySchema, { sessionId: "s1", totalWords: 7 });
  const data = openReport({ getSession: refuse, analysis: { listInterviews: refuse }, summary });
  await expect.poll(() => data.session.value).toMatchObject({ name: "there", session: undefined, summary });
  await expect.poll(() => data.analysis.value.name).toBe("not-yours");
  const stranger = openReport({ getSession: refuse, analysis: { listInterviews: refuse } });
  await expect.poll(() => stranger.session.value.name).toBe("failed");
});

test("a report that is left asks for nothing more, and says nothing of it", async () => {
  const asked = Promise.withResolvers<undefined>();
  const answer = Promise.withResolvers<undefined>();
  const data = openReport({
    getSession: async () => {
      asked.resolve(undefined);
      await answer.promise;
      return ended;
    },
    analysis: {
      listInterviews: async () => {
        await answer.promise;
        return { interviews: [] };
      },
    },
  });
  await asked.promise;
  data.close();
  answer.resolve(undefined);
  await expect.poll(() => data.analysis.value.name).toBe("loading");
  expect(data.session.value.name).toBe("loading");
});
