/** How the recording stands, in words: the connection, and how much of the sound is not yet safe on the server. */
import { Badge } from "../ui/badge.tsx";
import type { BadgeProps } from "../ui/badge.tsx";
import type { TranscriptionState } from "../../client/index.ts";
import type { SessionRecording } from "./session-recording.ts";

/** The server promises not to leave more than this unacknowledged while it is connected. */
const longestTailMs = 30_000;

export function ConnectionStatus({ recording }: { readonly recording: SessionRecording }) {
  const { tone, words } = describe(recording.connection.value);
  return (
    <div class="connection">
      <span role="status">
        <Badge tone={tone}>{words}</Badge>
      </span>
      <Tail recording={recording} />
    </div>
  );
}

function describe(state: TranscriptionState): { tone: BadgeProps["tone"] & string; words: string } {
  switch (state) {
    case "connecting":
      return { tone: "warning", words: "Connecting" };
    case "live":
      return { tone: "live", words: "Connected" };
    case "reconnecting":
      return { tone: "warning", words: "Reconnecting, your audio is kept" };
    case "ending":
      return { tone: "live", words: "Finishing" };
    case "ended":
      return { tone: "success", words: "Everything is stored" };
    case "failed":
      return { tone: "danger", words: "Stopped" };
  }
}

/** The sound that the page still keeps because the server has not said that its words are stored. */
function Tail({ recording }: { readonly recording: SessionRecording }) {
  const { unacknowledgedMs } = recording.safety.value;
  const seconds = unacknowledgedMs / 1000;
  const words = recording.connection.value === "reconnecting" ? "Kept here:" : "Not yet safe:";
  const share = Math.min(1, unacknowledgedMs / longestTailMs);
  return (
    <span class="tail">
      <span class="tail-bar" aria-hidden="true">
        <span style={{ transform: `scaleX(${share})` }} />
      </span>
      <span class="tail-words">
        {unacknowledgedMs === 0 ? "All of it is safe" : `${words} ${seconds.toFixed(1)} s`}
      </span>
    </span>
  );
}
