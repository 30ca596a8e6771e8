/** A client of the old JSON WebSocket over `ws`, which knows nothing of this server: keeps what it is sent, and how it ends. */
import { WebSocket } from "ws";

export type OldMessage = Readonly<Record<string, unknown>> & { readonly type: string };

export interface OldClient {
  readonly socket: WebSocket;
  readonly messages: readonly OldMessage[];
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;
  say(message: object | string): void;
  /** In frames of 100 ms of 16 kHz audio. */
  speak(samples: Int16Array): void;
  /** Resolves with the first message that fits and has come or comes; rejects when the socket closes without one. */
  next(type: string, matches?: (message: OldMessage) => boolean): Promise<OldMessage>;
}

/** Rejects with the HTTP status of a refused handshake, as `HTTP 401`. */
export async function openOldClient(url: string, path: string): Promise<OldClient> {
  const socket = new WebSocket(`${url.replace(/^http/, "ws")}${path}`);
  const messages: OldMessage[] = [];
  const waiting = new Set<() => void>();
  let isOver = false;
  const wake = () => {
    for (const look of [...waiting]) look();
  };
  socket.on("message", (data: Buffer) => {
    messages.push(JSON.parse(data.toString("utf8")) as OldMessage);
    wake();
  });
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.once("close", (code, reason) => {
      isOver = true;
      wake();
      resolve({ code, reason: reason.toString("utf8") });
    });
  });
  await new Promise<void>((resolve, reject) => {
    socket.once("open", resolve);
    socket.once("unexpected-response", (_, response) => {
      response.resume();
      socket.terminate();
      reject(new Error(`HTTP ${response.statusCode ?? 0}`));
    });
    socket.on("error", reject);
  });
  return {
    socket,
    messages,
    closed,
    say: (message) => socket.send(typeof message === "string" ? message : JSON.stringify(message)),
    speak(samples) {
      for (let at = 0; at < samples.length; at += 1600) {
        const frame = samples.subarray(at, at + 1600);
        socket.send(new Uint8Array(frame.buffer, frame.byteOffset, frame.byteLength));
      }
    },
    next: (type, matches = () => true) =>
      new Promise((resolve, reject) => {
        const look = () => {
          const found = messages.find((message) => message.type === type && matches(message));
          if (found) resolve(found);
          else if (isOver) reject(new Error(`the socket closed without ${type}`));
          else return;
          waiting.delete(look);
        };
        waiting.add(look);
        look();
      }),
  };
}
