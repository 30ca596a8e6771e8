/** How the room is connected, in words. */
import { Badge } from "../ui/badge.tsx";
import type { WatchState } from "./watch-room.ts";

const states = {
  connecting: { tone: "neutral", words: "Connecting…" },
  live: { tone: "live", words: "Live" },
  reconnecting: { tone: "warning", words: "Connection lost, trying again…" },
  failed: { tone: "danger", words: "Not connected" },
} as const;

export function ConnectionBadge({ state }: { readonly state: WatchState }) {
  const { tone, words } = states[state];
  return (
    <span role="status">
      <Badge tone={tone}>{words}</Badge>
    </span>
  );
}
