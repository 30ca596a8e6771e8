/**
 * A FAKE Deepgram: a server on this machine that speaks the documented wire format of the live API, and "hears" marks
 * instead of speech (see fake-deepgram-ear.ts). It can stumble in the ways that the real one and the network do. What
 * passes against it says that the protocol is kept as documented; nothing here says how the real Deepgram performs.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { WebSocketServer, type WebSocket } from "ws";
import { systemClock, type Clock } from "../../src/clock.ts";
import { FakeEar } from "./fake-deepgram-ear.ts";
import { wrongQuery } from "./fake-deepgram-query.ts";

/** What one connection does wrong. */
export type FakeStumble =
  /** Nothing: for a connection before the one that stumbles. */
  | { readonly kind: "none" }
  /** Answers the handshake with this status. */
  | { readonly kind: "refuse"; readonly status: number }
  /** Takes the connection and never answers the handshake. */
  | { readonly kind: "hang" }
  /** Cuts the connection without a word once so many samples came; the client sees 1006. */
  | { readonly kind: "drop"; readonly afterSamples: number }
  | { readonly kind: "close"; readonly afterSamples: number; readonly code: number; readonly reason?: string }
  /** Every message comes so much later. */
  | { readonly kind: "slow"; readonly delayMs: number }
  /** Every final comes twice. */
  | { readonly kind: "duplicate-finals" }
  /** Takes audio and says nothing at all. */
  | { readonly kind: "silent" }
  /** Calls nothing final before it is asked to. */
  | { readonly kind: "hesitant" }
  /** Does not answer Finalize. */
  | { readonly kind: "deaf-to-finalize" }
  /** Says this at once, as it stands. */
  | { readonly kind: "say"; readonly text: string };

export interface FakeConnection {
  readonly query: URLSearchParams;
  readonly samples: number;
  readonly keepAlives: number;
  readonly finalizes: number;
}

export interface FakeDeepgram {
  /** As DEEPGRAM_URL. */
  readonly url: string;
  readonly apiKey: string;
  /** All that ever opened, in order. */
  readonly connections: readonly FakeConnection[];
  readonly openConnections: number;
  /** Handshakes, refused ones among them. */
  readonly handshakes: number;
  /** What the next connections do, one each; those after them do well. */
  stumble(...stumbles: readonly FakeStumble[]): void;
  /** Cuts every connection without a word. */
  dropAll(): void;
  close(): Promise<void>;
}

export interface FakeDeepgramOptions {
  readonly apiKey?: string;
  readonly clock?: Clock;
}

/** Deepgram hangs up when it hears neither audio nor a text message for so long. */
const idleMs = 10_000;

export async function startFakeDeepgram(options: FakeDeepgramOptions = {}): Promise<FakeDeepgram> {
  const { apiKey = "fake-deepgram-key", clock = systemClock } = options;
  const sockets = new WebSocketServer({ noServer: true });
  const connections: FakeConnection[] = [];
  const plan: FakeStumble[] = [];
  const hanging = new Set<Duplex>();
  let handshakes = 0;
  const isAllowed = (request: IncomingMessage) => request.headers.authorization === `Token ${apiKey}`;

  const server = createServer((request, response) => answerHttp(request, response, isAllowed(request)));
  server.on("upgrade", (request, socket, head) => {
    handshakes += 1;
    const url = new URL(request.url ?? "/", "http://fake");
    const stumble = plan.shift() ?? { kind: "none" };
    const status = refusalOf(url, stumble, isAllowed(request));
    if (stumble.kind === "hang") hanging.add(socket);
    else if (status !== undefined) refuse(socket, status);
    else
      sockets.handleUpgrade(request, socket, head, (webSocket) => {
        connections.push(serve(webSocket, url.searchParams, stumble, clock));
      });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const dropAll = (): void => {
    for (const socket of sockets.clients) socket.terminate();
    for (const socket of hanging) socket.destroy();
  };

  return {
    url: `ws://127.0.0.1:${port}`,
    apiKey,
    connections,
    get openConnections() {
      return sockets.clients.size;
    },
    get handshakes() {
      return handshakes;
    },
    stumble: (...stumbles) => void plan.push(...stumbles),
    dropAll,
    async close() {
      dropAll();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Of the HTTP API, the request that tells of a key whether it is good. */
function answerHttp(request: IncomingMessage, response: ServerResponse, isAllowed: boolean): void {
  const [status, body] =
    request.url !== "/v1/auth/token"
      ? [404, { err_code: "NOT_FOUND", err_msg: "fake" }]
      : isAllowed
        ? [200, { api_key_id: "fake", scopes: ["usage:write"] }]
        : [401, { err_code: "INVALID_AUTH", err_msg: "Invalid credentials." }];
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}

function refusalOf(url: URL, stumble: FakeStumble, isAllowed: boolean): number | undefined {
  if (stumble.kind === "refuse") return stumble.status;
  if (url.pathname !== "/v1/listen") return 404;
  if (!isAllowed) return 401;
  return wrongQuery(url.searchParams) === undefined ? undefined : 400;
}

function refuse(socket: Duplex, status: number): void {
  const body = JSON.stringify({ err_code: "FAKE", err_msg: "refused by the fake" });
  const head = [`HTTP/1.1 ${status} Fake`, "connection: close", "content-type: application/json"];
  socket.end(`${head.join("\r\n")}\r\ncontent-length: ${body.length}\r\n\r\n${body}`);
}

function serve(
  socket: WebSocket,
  query: URLSearchParams,
  stumble: FakeStumble,
  clock: Clock,
): FakeConnection {
  const connection = { query, samples: 0, keepAlives: 0, finalizes: 0 };
  const say = (message: object): void => {
    if (stumble.kind === "silent") return;
    const isFinal = "is_final" in message && message.is_final === true;
    for (let time = isFinal && stumble.kind === "duplicate-finals" ? 2 : 1; time > 0; time--)
      later(() => socket.send(JSON.stringify(message)));
  };
  const later = (action: () => void): void => {
    if (stumble.kind === "slow") clock.after(stumble.delayMs, action);
    else action();
  };
  const ear = new FakeEar(query, say, { isHesitant: stumble.kind === "hesitant" });
  const closeStream = (): void => {
    ear.close();
    if (stumble.kind !== "silent") later(() => socket.close(1000));
  };

  let cancelIdle = (): void => undefined;
  const stayAwake = (): void => {
    cancelIdle();
    cancelIdle = clock.after(idleMs, () => {
      const reason = "Deepgram did not receive audio data or a text message within the timeout window.";
      socket.close(1011, `${reason} See https://dpgr.am/net0001`);
    });
  };
  stayAwake();
  socket.on("close", () => cancelIdle());
  socket.on("error", () => undefined); // "close" follows
  if (stumble.kind === "say") socket.send(stumble.text);

  const takeAudio = (data: Buffer): void => {
    const samples = new Int16Array(Uint8Array.from(data).buffer);
    connection.samples += samples.length;
    const isDue = "afterSamples" in stumble && connection.samples >= stumble.afterSamples;
    if (isDue && stumble.kind === "drop") socket.terminate();
    else if (isDue && stumble.kind === "close") socket.close(stumble.code, stumble.reason);
    else ear.hear(samples);
  };
  const takeText = (text: string): void => {
    const { type } = JSON.parse(text) as { type?: string };
    if (type === "KeepAlive") {
      connection.keepAlives += 1;
    } else if (type === "Finalize") {
      connection.finalizes += 1;
      if (stumble.kind !== "deaf-to-finalize") ear.finalize();
    } else if (type === "CloseStream") {
      closeStream();
    } else {
      socket.close(1008, "DATA-0000");
    }
  };
  socket.on("message", (data: Buffer, isBinary) => {
    stayAwake();
    if (!isBinary) takeText(data.toString("utf8"));
    else if (data.length === 0) closeStream();
    else if (data.length % 2 !== 0) socket.close(1008, "DATA-0000");
    else takeAudio(data);
  });
  return connection;
}
