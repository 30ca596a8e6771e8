/** One session in the list; all of it leads to its report. */
import { SessionState, type Session } from "../../../gen/ts/parley/transcription/v1/transcription_pb.ts";
import { hrefOf } from "../routing/route.ts";
import { Badge, type BadgeProps } from "../ui/badge.tsx";
import { formatDuration, formatTime, speakDuration } from "../ui/format.ts";
import { Icon } from "../ui/icon.tsx";
import { describeState } from "./describe-state.ts";

export function SessionRow({ session }: { readonly session: Session }) {
  const { sessionId, roomName, createTime, state, durationMs } = session;
  const { tone, words }: { tone: NonNullable<BadgeProps["tone"]>; words: string } = describeState(session);
  return (
    <li>
      <a class="session-row" href={hrefOf({ view: "report", sessionId })}>
        <span class="session-time">{formatTime(createTime)}</span>
        <span class="session-room">{roomName}</span>
        <span class="session-length">
          {state === SessionState.ENDED && (
            <>
              <span aria-hidden="true">{formatDuration(durationMs)}</span>
              <span class="visually-hidden">{speakDuration(durationMs)}</span>
            </>
          )}
        </span>
        <Badge tone={tone}>{words}</Badge>
        <Icon name="next" />
      </a>
    </li>
  );
}
