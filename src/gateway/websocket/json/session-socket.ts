/**
 * The old JSON WebSocket: `ws://host:3001/?token=<transcription token>`. The client says
 *
 *     {"action":"start","roomName":"…","participantIdentity":"…"}
 *
 * and is answered `{"type":"started",…}`. What it sends then in binary messages, 16-bit little-endian mono PCM at 16 kHz
 * unless `start` says otherwise, is a session: its events follow as write-event.ts writes them. `{"action":"stop"}` ends it:
 * last finals, summary, `{"type":"stopped",…}`, close 1000; `complete` has it analysed too, and ends with
 * `{"type":"session_complete","interviewId":…}`.
 *
 * Who sends no audio is shown what the participant says in the room otherwise, as when a LiveKit room is tapped: the events
 * of their sessions from now on, with `sessionId`. This server makes no such sessions of a LiveKit room yet.
 *
 * `start` takes all members of StreamConfig, `resume` among them: then wait for `sessionStarted` and send audio from its
 * `nextSample`. `finalize`, `keepAlive` and `reauthenticate` (with `token`) do what StreamControl says. A socket that closes
 * without `stop` leaves its session to be resumed. How failures are told: tell-failure.ts.
 */
import { Code, ConnectError } from "@connectrpc/connect";
import type { Client } from "@connectrpc/connect";
import { AnalysisService } from "../../../../gen/ts/parley/analysis/v1/analysis_pb.ts";
import { TranscriptionService } from "../../../../gen/ts/parley/transcription/v1/transcription_pb.ts";
import type { StreamConfig } from "../../../../gen/ts/parley/transcription/v1/transcription_pb.ts";
import { sleep } from "../../../clock.ts";
import type { Clock } from "../../../clock.ts";
import type { ParticipantCaller } from "../../../token/caller.ts";
import type { InProcessCalls } from "../in-process-calls.ts";
import type { ServerSocket, SocketMessage, WebSocketEndpoint } from "../web-socket-endpoint.ts";
import { admitToken } from "./admit-token.ts";
import type { AdmissionOptions } from "./admit-token.ts";
import { invalid, readClientMessage } from "./read-client-message.ts";
import { speak } from "./speak.ts";
import { tellFailure } from "./tell-failure.ts";
import { followRoom } from "./follow-room.ts";
import { writeStatus } from "./write-event.ts";

export interface SessionSocketOptions extends AdmissionOptions {
  readonly calls: InProcessCalls;
  readonly clock: Clock;
}

export interface SessionSocketClients {
  readonly transcription: Client<typeof TranscriptionService>;
  readonly analysis: Client<typeof AnalysisService>;
}

/** For the log. */
export const jsonProtocol = "json-websocket";
/** How long audio may be in coming before what others say for the participant is shown, in milliseconds. */
const audioGraceMs = 500;

export function sessionSocket(options: SessionSocketOptions): WebSocketEndpoint {
  return {
    admit(handshake) {
      const caller = admitToken(handshake, options);
      const origin = { handshake, caller, protocol: jsonProtocol };
      const clients = {
        transcription: options.calls(TranscriptionService, origin),
        analysis: options.calls(AnalysisService, origin),
      };
      return async (socket) => {
        try {
          await converse(socket, caller, clients, options.clock);
        } catch (error) {
          tellFailure(socket, error);
        }
      };
    },
  };
}

async function converse(
  socket: ServerSocket,
  caller: ParticipantCaller,
  clients: SessionSocketClients,
  clock: Clock,
): Promise<void> {
  const messages = socket.messages[Symbol.asyncIterator]() as AsyncIterator<SocketMessage, undefined>;
  const config = await readStart(messages);
  // A room that is not the caller's is for the RPC to refuse, which tells the log of it.
  const opensNow = config.resume !== undefined || !isOwn(config, caller);
  if (!opensNow) {
    socket.sendText(writeStatus("started", "send audio, or watch what is said otherwise"));
    const first = await firstAudio(socket, messages, caller, clients, clock);
    if (!first) {
      socket.sendText(writeStatus("stopped", "there was no audio"));
      return;
    }
    await speak(socket, { config, messages, first, clients });
    return;
  }
  await speak(socket, { config, messages, clients });
}

async function readStart(messages: AsyncIterator<SocketMessage, undefined>): Promise<StreamConfig> {
  const { value } = await messages.next();
  if (!value) throw new ConnectError("the client is gone", Code.Canceled);
  const message = "text" in value ? readClientMessage(value.text) : undefined;
  if (message?.action === "start") return message.config;
  throw invalid('the first message is {"action":"start","roomName":"…","participantIdentity":"…"}');
}

function isOwn({ roomName, participantIdentity }: StreamConfig, caller: ParticipantCaller): boolean {
  return (
    (roomName === "" || roomName === caller.roomName) &&
    (participantIdentity === "" || participantIdentity === caller.participantIdentity)
  );
}

/** The first audio; meanwhile what others bring of the participant is shown. Undefined: the client is content with that. */
async function firstAudio(
  socket: ServerSocket,
  messages: AsyncIterator<SocketMessage, undefined>,
  caller: ParticipantCaller,
  { transcription }: SessionSocketClients,
  clock: Clock,
): Promise<Uint8Array | undefined> {
  const audioCame = new AbortController();
  const signal = AbortSignal.any([socket.signal, audioCame.signal]);
  const follow = async () => {
    await sleep(clock, audioGraceMs, signal);
    const { roomName, participantIdentity } = caller;
    await followRoom(socket, transcription, { roomName, participantIdentity, signal });
  };
  follow().catch((error: unknown) => {
    if (!signal.aborted) tellFailure(socket, error); // which closes it, and so ends the reading below
  });
  try {
    for (;;) {
      const { value } = await messages.next();
      if (!value) throw new ConnectError("the client is gone", Code.Canceled);
      if ("data" in value) {
        if (value.data.byteLength > 0) return value.data;
        continue;
      }
      const message = readClientMessage(value.text);
      if (message.action === "stop" || message.action === "complete") return undefined;
      if (message.action === "start") throw invalid("start was sent twice; it comes first, and once");
      if (message.action === "reauthenticate")
        throw invalid("reauthenticate: only while you send audio; connect again with the fresh token");
    }
  } finally {
    audioCame.abort();
  }
}
