/**
 * Joins a LiveKit room over its signalling WebSocket, as a client does, and goes no further: no media. LiveKit lets such a
 * participant be for some ten seconds. The messages: livekit_rtc.proto of github.com/livekit/protocol.
 */
import { once } from "node:events";
import { WebSocket } from "ws";

export interface JoinedParticipant {
  /** Resolves when LiveKit has said that the participant has to leave, and has closed the connection. */
  readonly putOut: Promise<void>;
  isIn(): boolean;
  leave(): void;
}

/** Parameters of the URL besides the token. */
export type JoinParameters = Readonly<Record<string, string>>;

/** SignalResponse has one field, and these are the first bytes of two of them. */
const joinTag = (1 << 3) | 2;
const leaveTag = (8 << 3) | 2;

/** Rejects with the HTTP status when it is not let in. */
export async function joinRoom(
  url: string,
  token: string,
  parameters: JoinParameters = {},
): Promise<JoinedParticipant> {
  const query = new URLSearchParams({ access_token: token, protocol: "15", ...parameters });
  const socket = new WebSocket(`${url.replace(/^http/, "ws")}/rtc?${query.toString()}`);
  const told: number[] = [];
  const joined = Promise.withResolvers<undefined>();
  socket.on("message", (bytes: Buffer) => {
    told.push(bytes.readUInt8(0));
    if (told.includes(joinTag)) joined.resolve(undefined);
  });
  socket.once("unexpected-response", (_request, response) => {
    joined.reject(new Error(`HTTP ${response.statusCode}`));
    socket.terminate();
  });
  socket.on("error", (error) => joined.reject(error));
  const putOut = once(socket, "close").then(() => {
    if (!told.includes(leaveTag)) throw new Error("the connection was closed without a word");
  });
  putOut.catch(() => undefined); // for those who do not wait for it
  await joined.promise;
  return {
    putOut,
    isIn: () => socket.readyState === WebSocket.OPEN && !told.includes(leaveTag),
    leave: () => socket.close(),
  };
}
