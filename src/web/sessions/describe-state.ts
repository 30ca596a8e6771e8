/** How far a session is, in a word or two: whole, still going on, or why it broke off. */
import {
  SessionEndReason,
  SessionState,
  type Session,
} from "../../../gen/ts/parley/transcription/v1/transcription_pb.ts";

export interface DescribedState {
  readonly tone: "neutral" | "live" | "success" | "warning";
  readonly words: string;
}

export function describeState({ state, endReason }: Pick<Session, "state" | "endReason">): DescribedState {
  switch (state) {
    case SessionState.ACTIVE:
      return { tone: "live", words: "Recording" };
    case SessionState.INTERRUPTED:
      return { tone: "warning", words: "Interrupted" };
    case SessionState.ENDED:
      return endReason === SessionEndReason.COMPLETED
        ? { tone: "success", words: "Complete" }
        : { tone: "neutral", words: reasons[endReason] ?? "Broke off" };
    default:
      return { tone: "neutral", words: "Unknown" };
  }
}

const reasons: Partial<Record<SessionEndReason, string>> = {
  [SessionEndReason.CLIENT_GONE]: "Connection lost",
  [SessionEndReason.CLIENT_ERROR]: "Broke off",
  [SessionEndReason.STALLED]: "Went silent",
  [SessionEndReason.TOKEN_EXPIRED]: "Token expired",
  [SessionEndReason.ENGINE_FAILED]: "Speech engine failed",
  [SessionEndReason.SERVER_STOPPED]: "Server stopped",
  [SessionEndReason.SERVER_ERROR]: "Server error",
};
