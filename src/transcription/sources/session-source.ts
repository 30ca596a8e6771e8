/** Where a session's audio comes from, whatever carries it: a gRPC stream, a WebSocket, a participant of a room. */
import type { StreamToken } from "../session/session-options.ts";

export type SourceMessage =
  | { readonly type: "audio"; readonly firstSample: number; readonly data: Uint8Array }
  | { readonly type: "finalize" }
  | { readonly type: "keep-alive" }
  /** The speaker's right to be here was renewed. */
  | { readonly type: "reauthenticated"; readonly token: StreamToken };

/**
 * Ends when the speaker has said everything. Throws a SessionError for what the speaker did wrong, and `client-gone` when
 * the connection broke; anything else is a defect.
 */
export type SessionSource = AsyncIterable<SourceMessage, undefined>;
