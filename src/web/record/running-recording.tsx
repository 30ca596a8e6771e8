/** A recording while it runs, and what became of it when it failed. */
import { useEffect } from "preact/hooks";
import { goTo } from "../routing/current-route.ts";
import { hrefOf } from "../routing/route.ts";
import { Alert } from "../ui/alert.tsx";
import { announce } from "../ui/announcer.tsx";
import { Button, ButtonLink } from "../ui/button.tsx";
import { formatDuration, speakDuration } from "../ui/format.ts";
import { CaptionsView } from "./captions-view.tsx";
import { ConnectionStatus } from "./connection-status.tsx";
import { lookForUnfinished, putAwayRecording } from "./current-recording.ts";
import { PaceChart, VoiceCharts } from "./live-charts.tsx";
import { LiveStats } from "./live-stats.tsx";
import type { RecordingPhase, SessionRecording } from "./session-recording.ts";

export function RunningRecording({ recording }: { readonly recording: SessionRecording }) {
  const phase = recording.phase.value;
  useEffect(() => {
    if (phase.name === "recording") announce("Recording.");
    if (phase.name === "finishing") announce("Finishing: the last words and the report follow.");
    if (phase.name === "cancelled") putAwayRecording();
    if (phase.name !== "done") return;
    putAwayRecording();
    goTo({ view: "report", sessionId: phase.sessionId });
  }, [phase]);
  return (
    <div class="recording stack tight">
      {phase.name === "failed" ? (
        <Failed phase={phase} />
      ) : (
        <RecordingBar recording={recording} phase={phase} />
      )}
      <Notices recording={recording} />
      <div class="recording-columns">
        <CaptionsView captions={recording.captions} hint={hintOf(phase, recording)} />
        <section class="figures card" aria-label="How you speak">
          <LiveStats figures={recording.figures} />
          <PaceChart figures={recording.figures} />
          <VoiceCharts figures={recording.figures} />
        </section>
      </div>
    </div>
  );
}

function hintOf(phase: RecordingPhase, recording: SessionRecording): string {
  if (phase.name === "opening") {
    return phase.step === "microphone"
      ? "Your browser may ask whether this page may listen."
      : "Opening the session…";
  }
  if (phase.name === "failed") return "Nothing was written down.";
  return recording.usesMicrophone ? "Speak. Your words appear here." : "Listening…";
}

function RecordingBar({
  recording,
  phase,
}: {
  readonly recording: SessionRecording;
  readonly phase: RecordingPhase;
}) {
  const { plan } = recording;
  const title =
    plan.source === "file" ? plan.title : plan.source === "kept" ? plan.recording.title : "Microphone";
  return (
    <div class="recording-bar card">
      <Clock recording={recording} />
      <div class="recording-what">
        <strong>
          {recording.roomName.value === undefined ? title : `${title} · ${recording.roomName.value}`}
        </strong>
        <ConnectionStatus recording={recording} />
      </div>
      <Button
        kind="primary"
        size="large"
        icon="stop"
        class="stop-button"
        aria-keyshortcuts="Alt+R"
        busy={phase.name === "finishing"}
        onClick={() => void recording.stop()}
      >
        {phase.name === "finishing" ? "Finishing" : phase.name === "opening" ? "Cancel" : "Stop"}
      </Button>
    </div>
  );
}

function Clock({ recording }: { readonly recording: SessionRecording }) {
  const { writtenMs } = recording.safety.value;
  return (
    <span class="recording-clock" role="timer" aria-label={speakDuration(writtenMs)}>
      {formatDuration(Math.floor(writtenMs / 1000) * 1000)}
    </span>
  );
}

function Notices({ recording }: { readonly recording: SessionRecording }) {
  return (
    <>
      {recording.notices.all.value.map(({ kind, text }) => (
        <Alert
          key={kind}
          kind={kind === "engine" ? "info" : "warning"}
          actions={
            kind === "microphone-lost" && (
              <Button size="small" onClick={() => void recording.reopenMicrophone()}>
                Open it again
              </Button>
            )
          }
        >
          {text}
        </Alert>
      ))}
    </>
  );
}

function Failed({ phase }: { readonly phase: RecordingPhase & { readonly name: "failed" } }) {
  return (
    <Alert
      kind="danger"
      title="The recording stopped."
      actions={
        <>
          {phase.sessionId !== undefined && (
            <ButtonLink
              size="small"
              href={hrefOf({ view: "report", sessionId: phase.sessionId })}
              onClick={putAwayRecording}
            >
              See what is stored
            </ButtonLink>
          )}
          <Button
            size="small"
            kind="primary"
            onClick={() => {
              putAwayRecording();
              void lookForUnfinished();
            }}
          >
            {phase.canContinue ? "Continue" : "Back"}
          </Button>
        </>
      }
    >
      {phase.message}
    </Alert>
  );
}
