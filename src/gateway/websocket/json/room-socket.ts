/**
 * Captions of a whole room for the SFU's clients: `ws://host:3001/aq_server/websocket?token=<SFU token>`. Nothing need be
 * sent, and what is sent is not looked at. From the handshake on the events of all sessions in the token's room follow, as
 * write-event.ts writes them, with `sessionId`, `participantIdentity` and `cursor`; of no other room. How failures are told:
 * tell-failure.ts.
 */
import { TranscriptionService } from "../../../../gen/ts/parley/transcription/v1/transcription_pb.ts";
import type { InProcessCalls } from "../in-process-calls.ts";
import type { ServerSocket, WebSocketEndpoint } from "../web-socket-endpoint.ts";
import { admitToken } from "./admit-token.ts";
import type { AdmissionOptions } from "./admit-token.ts";
import { followRoom } from "./follow-room.ts";
import { jsonProtocol } from "./session-socket.ts";
import { tellFailure } from "./tell-failure.ts";
import { writeStatus } from "./write-event.ts";

export interface RoomSocketOptions extends AdmissionOptions {
  readonly calls: InProcessCalls;
}

export function roomSocket(options: RoomSocketOptions): WebSocketEndpoint {
  return {
    mayBeSilent: true,
    admit(handshake) {
      const caller = admitToken(handshake, options);
      const client = options.calls(TranscriptionService, { handshake, caller, protocol: jsonProtocol });
      const { roomName } = caller;
      return async (socket) => {
        void skipAll(socket);
        socket.sendText(writeStatus("started", "captions of the room follow", { roomName }));
        try {
          await followRoom(socket, client, { roomName, signal: socket.signal });
        } catch (error) {
          tellFailure(socket, error);
        }
      };
    },
  };
}

/** Until the socket closes, which nobody would see otherwise. */
async function skipAll({ messages }: ServerSocket): Promise<void> {
  try {
    for await (const _ of messages);
  } catch {
    // It is closed, which the watch hears from its signal.
  }
}
