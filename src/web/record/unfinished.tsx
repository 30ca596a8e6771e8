/** Offers to go on with what a page that was closed or reloaded left unfinished. */
import { useEffect } from "preact/hooks";
import type { Recording } from "../audio/recording-store.ts";
import { samplesPerMs } from "../audio/sample-rate.ts";
import { Alert } from "../ui/alert.tsx";
import { Button } from "../ui/button.tsx";
import { formatDuration } from "../ui/format.ts";
import {
  giveUpRecording,
  lookForUnfinished,
  startRecording,
  unfinishedRecordings,
} from "./current-recording.ts";

export function Unfinished() {
  useEffect(() => {
    // The page that was reloaded may still be going away.
    void lookForUnfinished();
    const again = setTimeout(() => void lookForUnfinished(), 1_000);
    return () => clearTimeout(again);
  }, []);
  return (
    <>
      {unfinishedRecordings.value.map((recording) => (
        <Offer key={recording.recordingId} recording={recording} />
      ))}
    </>
  );
}

function Offer({ recording }: { readonly recording: Recording }) {
  const began = new Date(recording.createdAtMs).toLocaleTimeString(undefined, { timeStyle: "short" });
  const length = formatDuration(recording.endSample / samplesPerMs);
  const isSpoken = recording.source === "microphone";
  const finish = () => void startRecording({ source: "kept", recording, goOn: false });
  return (
    <Alert
      kind="warning"
      title={isSpoken ? `Your recording from ${began} was cut off.` : `“${recording.title}” was cut off.`}
      actions={
        <>
          {isSpoken && (
            <Button
              size="small"
              kind="primary"
              onClick={() => void startRecording({ source: "kept", recording, goOn: true })}
            >
              Continue speaking
            </Button>
          )}
          <Button size="small" kind={isSpoken ? "secondary" : "primary"} onClick={finish}>
            {isSpoken ? "Finish it" : "Continue"}
          </Button>
          <Button size="small" kind="quiet" onClick={() => void giveUpRecording(recording)}>
            Give it up
          </Button>
        </>
      }
    >
      {length} of it are kept in this browser. What the server does not have yet is sent when you go on.
    </Alert>
  );
}
