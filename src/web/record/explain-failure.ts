/** Why a recording stopped, in words for whoever speaks, and whether it can be gone on with. */
import { Code, ConnectError } from "@connectrpc/connect";
import { TranscriptionError } from "../../client/index.ts";
import { describeError } from "../ui/describe-error.ts";

export interface Failure {
  readonly message: string;
  /** The session may still be open on the server, and the sound is kept. */
  readonly canContinue: boolean;
}

export function explainFailure(error: unknown): Failure {
  if (error instanceof TranscriptionError) return explainTranscriptionError(error);
  if (error instanceof ConnectError) return { message: explainRefusal(error), canContinue: false };
  const message = error instanceof Error ? error.message : String(error);
  return { message: sentence(message), canContinue: false };
}

/** Of the room, for that is all that is asked for by a call before the stream begins. */
function explainRefusal(error: ConnectError): string {
  if (error.code === Code.PermissionDenied || error.code === Code.NotFound)
    return "There is no such room, or it is not for you. Make it under Rooms, or leave the name out for one of your own.";
  return describeError(error);
}

function explainTranscriptionError({ code, message }: TranscriptionError): Failure {
  switch (code) {
    case "unauthenticated":
      return {
        message:
          "The server does not take your sign-in any more. Sign in again, then continue: your audio is kept.",
        canContinue: true,
      };
    case "unreachable":
      return {
        message: "The server could not be reached for ten minutes. Everything that was safe is stored.",
        canContinue: true,
      };
    case "cancelled":
      return {
        message: "The recording was given up. Everything that was safe is stored.",
        canContinue: true,
      };
    case "superseded":
      return { message: "Another page goes on with this session.", canContinue: false };
    case "session-lost":
      return {
        message: "The session is over on the server. Everything that was safe is stored.",
        canContinue: false,
      };
    case "forbidden":
    case "invalid":
    case "unsupported":
    case "capacity":
      return { message: sentence(message), canContinue: false };
  }
}

function sentence(text: string): string {
  const trimmed = text.trim();
  return `${trimmed.charAt(0).toUpperCase()}${trimmed.slice(1)}${/[.!?]$/.test(trimmed) ? "" : "."}`;
}
