/** Shows a JSON WebSocket what is said in a room from now on, through WatchSession. */
import type { Client } from "@connectrpc/connect";
import type { TranscriptionService } from "../../../../gen/ts/parley/transcription/v1/transcription_pb.ts";
import type { ServerSocket } from "../web-socket-endpoint.ts";
import { writeWatchedEvent } from "./write-event.ts";

export interface FollowOptions {
  readonly roomName: string;
  /** Only what this one says. Absent: everybody. */
  readonly participantIdentity?: string;
  readonly signal: AbortSignal;
}

/** Until the watch ends; rejects with a ConnectError, and with the signal's reason. */
export async function followRoom(
  socket: ServerSocket,
  client: Client<typeof TranscriptionService>,
  { roomName, participantIdentity, signal }: FollowOptions,
): Promise<void> {
  const request = { selector: { case: "roomName", value: roomName }, fromNow: true } as const;
  for await (const watched of client.watchSession(request, { signal })) {
    if (participantIdentity !== undefined && watched.participantIdentity !== participantIdentity) continue;
    signal.throwIfAborted();
    socket.sendText(writeWatchedEvent(watched));
    await socket.drained();
  }
}
