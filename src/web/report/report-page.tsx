/** The report of one session: what to practise, scores with their evidence, figures over time, and the transcript. */
import { useEffect, useMemo, useState } from "preact/hooks";
import { SessionState } from "../../../gen/ts/parley/transcription/v1/transcription_pb.ts";
import type { Session, SessionSummary } from "../../../gen/ts/parley/transcription/v1/transcription_pb.ts";
import { RecordingPlayer } from "../audio/recording-player.ts";
import type { Recording, RecordingStore } from "../audio/recording-store.ts";
import { openRecordings } from "../audio/recordings.ts";
import { summaryOfEnded } from "../record/current-recording.ts";
import { judgePace } from "../record/describe-pace.ts";
import { hrefOf } from "../routing/route.ts";
import { clients } from "../session/studio-session.ts";
import { describeState } from "../sessions/describe-state.ts";
import { Alert } from "../ui/alert.tsx";
import { Button, ButtonLink } from "../ui/button.tsx";
import { describeError } from "../ui/describe-error.ts";
import { EmptyState } from "../ui/empty-state.tsx";
import { formatDuration, formatNumber, formatTime } from "../ui/format.ts";
import { Loading } from "../ui/loading.tsx";
import { PageHeader } from "../ui/page-header.tsx";
import { Stat } from "../ui/stat.tsx";
import { AnalysisPart } from "./analysis-part.tsx";
import { FillerList, PauseList } from "./delivery-lists.tsx";
import { Exports } from "./exports.tsx";
import { PaceTimeline, Voice } from "./report-charts.tsx";
import { ReportData } from "./report-data.ts";
import { ReportStage } from "./report-stage.ts";
import { Scores } from "./scores.tsx";
import { Transcript } from "./transcript.tsx";
import "../record/record.css";
import "./report.css";

export function ReportPage({ sessionId }: { readonly sessionId: string }) {
  const data = useMemo(
    () => new ReportData({ sessionId, clients, summary: summaryOfEnded(sessionId) }),
    [sessionId],
  );
  useEffect(() => () => data.close(), [data]);
  const view = data.session.value;
  switch (view.name) {
    case "loading":
      return (
        <>
          <PageHeader title="Report" />
          <Loading>Loading the session</Loading>
        </>
      );
    case "failed":
      return (
        <>
          <PageHeader title="Report" />
          <Alert
            kind="danger"
            title="The session could not be loaded."
            actions={
              <Button size="small" onClick={() => data.reload()}>
                Try again
              </Button>
            }
          >
            {describeError(view.error)}
          </Alert>
        </>
      );
    case "there":
      return <Report sessionId={sessionId} data={data} session={view.session} summary={view.summary} />;
  }
}

interface ReportProps {
  readonly sessionId: string;
  readonly data: ReportData;
  readonly session: Session | undefined;
  readonly summary: SessionSummary;
}

function Report({ sessionId, data, session, summary }: ReportProps) {
  const stage = useMemo(() => new ReportStage(), []);
  const kept = useRecording(sessionId, stage);
  const analysis = data.analysis.value;
  const report = analysis.name === "there" ? analysis.interview.report : undefined;
  const isRunning = session !== undefined && session.state !== SessionState.ENDED;
  const { words } = summary;
  const lead = [session?.roomName, formatDuration(summary.durationMs), `${summary.totalWords} words`];
  return (
    <>
      <PageHeader
        title={session ? formatTime(session.createTime) : "Report"}
        lead={lead.filter(Boolean).join(" · ")}
        {...(session && { actions: <Exports sessionId={sessionId} /> })}
      />
      <div class="stack">
        <StateNotice session={session} />
        {words.length === 0 && !isRunning ? (
          <EmptyState
            icon="microphone"
            title="No words were heard"
            action={
              <ButtonLink kind="primary" href={hrefOf({ view: "record" })}>
                Record again
              </ButtonLink>
            }
          >
            {formatDuration(summary.durationMs)} of sound came in, and no speech was found in it. Is the right
            microphone chosen, and loud enough?
          </EmptyState>
        ) : (
          <>
            <AnalysisPart
              analysis={analysis}
              isRunning={isRunning}
              words={words}
              stage={stage}
              onRetry={() => data.reload()}
            />
            <div class="report-columns">
              <div class="stack">
                <Figures summary={summary} />
                {report && <Scores report={report} words={words} stage={stage} />}
                <PaceTimeline summary={summary} stage={stage} />
                <FillerList summary={summary} stage={stage} />
                <PauseList summary={summary} stage={stage} />
                {kept && <Voice summary={summary} stage={stage} {...kept} />}
              </div>
              <Transcript summary={summary} stage={stage} />
            </div>
          </>
        )}
      </div>
    </>
  );
}

/** The sound, if this browser has it. */
function useRecording(sessionId: string, stage: ReportStage) {
  const [kept, setKept] = useState<{ readonly store: RecordingStore; readonly recording: Recording }>();
  useEffect(() => {
    let isGone = false;
    const look = async () => {
      const store = await openRecordings();
      const recording = await store?.find(sessionId);
      if (isGone || !store || !recording || recording.endSample === 0) return;
      stage.setPlayer(new RecordingPlayer(store, recording));
      setKept({ store, recording });
    };
    // Without it the report is read and not heard, as the transcript says.
    look().catch(() => undefined);
    return () => {
      isGone = true;
      stage.close();
    };
  }, [sessionId, stage]);
  return kept;
}

function StateNotice({ session }: { readonly session: Session | undefined }) {
  if (!session) return null;
  const { words } = describeState(session);
  switch (session.state) {
    case SessionState.ACTIVE:
      return (
        <Alert kind="info" title="This session is still running.">
          What is final so far is shown, and follows by itself.
        </Alert>
      );
    case SessionState.INTERRUPTED:
      return (
        <Alert kind="warning" title="This session was cut off.">
          For ten minutes the browser that recorded it can go on with it, under Record. What is final so far
          is shown.
        </Alert>
      );
    case SessionState.ENDED:
    case SessionState.UNSPECIFIED:
      if (words === "Complete") return null;
      return (
        <Alert kind="warning" title={`This session did not end in the ordinary way: ${words.toLowerCase()}.`}>
          Everything that was safe is shown.
        </Alert>
      );
  }
}

/** A pace of fewer means nothing. */
const leastWords = 10;

function Figures({ summary }: { readonly summary: SessionSummary }) {
  const { averagePace, articulationRate, fillers, pauses, speakingMs, totalWords } = summary;
  const isTooLittle = totalWords < leastWords;
  return (
    <section class="card" aria-label="Figures">
      <dl class="stats">
        <Stat
          label="Pace"
          value={isTooLittle ? "—" : Math.round(averagePace)}
          unit="words/min"
          note={isTooLittle ? "too few words to judge" : judgePace(averagePace)}
        />
        <Stat
          label="Without pauses"
          value={isTooLittle ? "—" : Math.round(articulationRate)}
          unit="words/min"
        />
        <Stat
          label="Fillers"
          value={fillers?.detectable === true ? formatNumber(fillers.perMinute ?? 0) : "—"}
          unit={fillers?.detectable === true ? "a minute" : ""}
          note={fillers?.detectable === true ? `${fillers.count ?? 0} in all` : "not detectable"}
        />
        <Stat
          label="Pauses"
          value={pauses?.count ?? 0}
          note={`longest ${((pauses?.longestMs ?? 0) / 1000).toFixed(1)} s`}
        />
        <Stat label="You spoke for" value={formatDuration(speakingMs)} />
      </dl>
    </section>
  );
}
