/** Where one records: the way to begin, or the recording that runs. */
import { useEffect } from "preact/hooks";
import { PageHeader } from "../ui/page-header.tsx";
import { currentRecording } from "./current-recording.ts";
import { KeptRecordings } from "./kept-recordings.tsx";
import { RunningRecording } from "./running-recording.tsx";
import { StartForm } from "./start-form.tsx";
import { Unfinished } from "./unfinished.tsx";
import "./record.css";

export function RecordView() {
  const recording = currentRecording.value;
  useShortcut();
  if (recording) {
    return (
      <>
        <h1 class="visually-hidden">Recording</h1>
        <RunningRecording recording={recording} />
      </>
    );
  }
  return (
    <>
      <PageHeader
        title="Say it aloud"
        lead="Press record and speak. Your words appear as you say them; when you stop, you get a report that shows where each figure comes from."
      />
      <div class="stack">
        <Unfinished />
        <StartForm />
        <KeptRecordings />
      </div>
    </>
  );
}

/** Alt and R press the button that starts or stops; no letter alone, which would be in the way of typing and of speech input. */
function useShortcut(): void {
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      if (!event.altKey || event.ctrlKey || event.metaKey || event.code !== "KeyR") return;
      event.preventDefault();
      document.querySelector<HTMLElement>('[aria-keyshortcuts="Alt+R"]')?.click();
    };
    addEventListener("keydown", onKeyDown);
    return () => removeEventListener("keydown", onKeyDown);
  }, []);
}
