/** What the analysis says, or how far it is. */
import { InterviewState } from "../../../gen/ts/parley/analysis/v1/analysis_pb.ts";
import type { Interview } from "../../../gen/ts/parley/analysis/v1/analysis_pb.ts";
import type { Word } from "../../../gen/ts/parley/transcription/v1/transcription_pb.ts";
import { Alert } from "../ui/alert.tsx";
import { Button } from "../ui/button.tsx";
import { Card } from "../ui/card.tsx";
import { describeError } from "../ui/describe-error.ts";
import { Loading } from "../ui/loading.tsx";
import { Practices } from "./practices.tsx";
import type { AnalysisView } from "./report-data.ts";
import type { ReportStage } from "./report-stage.ts";

export interface AnalysisPartProps {
  readonly analysis: AnalysisView;
  /** The session is not over: an analysis follows its end. */
  readonly isRunning: boolean;
  readonly words: readonly Word[];
  readonly stage: ReportStage;
  readonly onRetry: () => void;
}

export function AnalysisPart({ analysis, isRunning, words, stage, onRetry }: AnalysisPartProps) {
  switch (analysis.name) {
    case "loading":
      return <Loading>Looking for the analysis</Loading>;
    case "none":
      return (
        <Alert kind="info">
          {isRunning
            ? "Scores and things to practise come when the session is over."
            : "No analysis was made of this session: it did not end in the ordinary way, or none was asked for."}
        </Alert>
      );
    case "not-yours":
      return (
        <Alert kind="info">
          Scores are shown to the owner of the session. With a token for one room you see the figures only.
        </Alert>
      );
    case "failed":
      return (
        <Alert
          kind="warning"
          title="The analysis could not be loaded."
          actions={
            <Button size="small" onClick={onRetry}>
              Try again
            </Button>
          }
        >
          {describeError(analysis.error)}
        </Alert>
      );
    case "there":
      return <InterviewPart interview={analysis.interview} words={words} stage={stage} />;
  }
}

function InterviewPart({
  interview,
  words,
  stage,
}: { readonly interview: Interview } & Pick<AnalysisPartProps, "words" | "stage">) {
  const { state, failureCause, report, caseQuestion } = interview;
  switch (state) {
    case InterviewState.QUEUED:
    case InterviewState.UNSPECIFIED:
      return <Loading>The analysis waits for its turn</Loading>;
    case InterviewState.RUNNING:
      return <Loading>The analysis is being made</Loading>;
    case InterviewState.FAILED:
      return (
        <Alert kind="danger" title="The analysis failed.">
          {failureCause === "" ? "The server gave no cause." : failureCause} The words and figures below are
          stored.
        </Alert>
      );
    case InterviewState.DONE:
      return (
        <>
          {caseQuestion !== "" && (
            <Card title="The question">
              <p class="question">{caseQuestion}</p>
            </Card>
          )}
          {report && report.practices.length > 0 && <Practices report={report} words={words} stage={stage} />}
        </>
      );
  }
}
