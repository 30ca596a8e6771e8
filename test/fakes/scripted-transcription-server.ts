/**
 * A TranscriptionService whose Transcribe does what a test says, served by real connect-node over a real socket. It keeps
 * what it receives and knows nothing of sessions.
 */
import { create } from "@bufbuild/protobuf";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { ConnectError } from "@connectrpc/connect";
import type { Code } from "@connectrpc/connect";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { createServer } from "node:http2";
import type { ServerHttp2Session } from "node:http2";
import type { AddressInfo } from "node:net";
import {
  TranscribeResponseSchema,
  TranscriptionService,
} from "../../gen/ts/parley/transcription/v1/transcription_pb.ts";
import type {
  AudioChunk,
  SessionStartedSchema,
  StreamConfig,
  StreamControl,
  TranscribeRequest,
  TranscribeResponse,
  TranscriptSchema,
} from "../../gen/ts/parley/transcription/v1/transcription_pb.ts";

export type EventInit = NonNullable<MessageInitShape<typeof TranscribeResponseSchema>["event"]>;

export interface ScriptedStream {
  readonly authorization: string | null;
  /** All but config. */
  readonly received: readonly TranscribeRequest["message"][];
  readonly config: StreamConfig;
  /** First and last sample received so far, of 16-bit mono; throws when chunks do not follow on each other. */
  readonly heard: { readonly from: number; readonly to: number } | undefined;
  readonly audio: readonly AudioChunk[];
  readonly controls: readonly NonNullable<StreamControl["action"]["case"]>[];
  readonly isHalfClosed: boolean;
  /** The client reset the stream, or its connection is gone. */
  readonly isGone: boolean;
  /** Resolves when that holds; looked at whenever something comes. */
  until(holds: (stream: ScriptedStream) => boolean): Promise<void>;
  send(event: EventInit): void;
  start(started?: MessageInitShape<typeof SessionStartedSchema>): void;
  ack(throughSample: number): void;
  transcript(transcript: MessageInitShape<typeof TranscriptSchema>): void;
  /** The summary, and OK. */
  finish(): void;
  /** OK. */
  end(): void;
  fail(code: Code, message?: string): void;
}

export interface ScriptedTranscriptionServer {
  readonly port: number;
  readonly url: string;
  /** Streams so far. */
  readonly streams: readonly ScriptedStream[];
  /** The stream of that number, from 0, once it has come and sent its config. */
  stream(number: number): Promise<ScriptedStream>;
  /** Called for each stream once it has sent its config. */
  onStream: ((stream: ScriptedStream) => void) | undefined;
  /** GOAWAY to everybody. */
  goaway(): void;
  close(): Promise<void>;
}

export async function startScriptedTranscriptionServer(): Promise<ScriptedTranscriptionServer> {
  const streams: ScriptedStream[] = [];
  const waiting = new Set<() => void>();
  const sessions = new Set<ServerHttp2Session>();
  const wake = () => {
    for (const look of [...waiting]) look();
  };
  const until = (holds: () => boolean) =>
    new Promise<void>((resolve) => {
      const look = () => {
        if (!holds()) return;
        waiting.delete(look);
        resolve();
      };
      waiting.add(look);
      look();
    });

  async function* transcribe(
    requests: AsyncIterable<TranscribeRequest>,
    authorization: string | null,
    signal: AbortSignal,
  ): AsyncGenerator<TranscribeResponse> {
    const stream = new Stream(authorization, until, wake);
    signal.addEventListener("abort", () => stream.markGone());
    void stream.read(requests, () => {
      streams.push(stream);
      wake();
      server.onStream?.(stream);
    });
    yield* stream.responses();
  }

  const http2 = createServer(
    connectNodeAdapter({
      routes: (router) =>
        router.service(TranscriptionService, {
          transcribe: (requests, { requestHeader, signal }) =>
            transcribe(requests, requestHeader.get("authorization"), signal),
        }),
    }),
  );
  http2.on("session", (session) => {
    sessions.add(session);
    session.on("close", () => sessions.delete(session));
    session.on("error", () => undefined);
  });
  await new Promise<void>((resolve) => http2.listen(0, "127.0.0.1", resolve));
  const { port } = http2.address() as AddressInfo;
  const server: ScriptedTranscriptionServer = {
    port,
    url: `http://127.0.0.1:${port}`,
    streams,
    onStream: undefined,
    async stream(number) {
      await until(() => streams.length > number);
      return streams[number]!;
    },
    goaway() {
      for (const session of sessions) session.close();
    },
    async close() {
      for (const session of sessions) session.destroy();
      await new Promise((resolve) => http2.close(resolve));
    },
  };
  return server;
}

class Stream implements ScriptedStream {
  readonly authorization: string | null;
  readonly received: TranscribeRequest["message"][] = [];
  config!: StreamConfig;
  isHalfClosed = false;
  isGone = false;
  readonly #until: (holds: () => boolean) => Promise<void>;
  readonly #wake: () => void;
  #queue: (TranscribeResponse | ConnectError | "end")[] = [];
  #sequence = 0;

  constructor(
    authorization: string | null,
    until: (holds: () => boolean) => Promise<void>,
    wake: () => void,
  ) {
    this.authorization = authorization;
    this.#until = until;
    this.#wake = wake;
  }

  get audio(): readonly AudioChunk[] {
    return this.received.flatMap((message) => (message.case === "audio" ? [message.value] : []));
  }

  get heard(): { from: number; to: number } | undefined {
    const [first] = this.audio;
    if (!first) return undefined;
    const from = Number(first.firstSample);
    let to = from;
    for (const { firstSample, data } of this.audio) {
      if (Number(firstSample) !== to) throw new Error(`a chunk at ${firstSample} follows on ${to}`);
      if (data.length > 65_536 || data.length % 2 !== 0) throw new Error(`a chunk of ${data.length} bytes`);
      to += data.length / 2;
    }
    return { from, to };
  }

  get controls(): readonly NonNullable<StreamControl["action"]["case"]>[] {
    return this.received.flatMap((message) =>
      message.case === "control" && message.value.action.case ? [message.value.action.case] : [],
    );
  }

  until(holds: (stream: ScriptedStream) => boolean): Promise<void> {
    return this.#until(() => holds(this));
  }

  send(event: EventInit): void {
    this.#sequence += 1;
    this.#push(create(TranscribeResponseSchema, { sequence: this.#sequence, event }));
  }

  start(started: MessageInitShape<typeof SessionStartedSchema> = {}): void {
    const value = { sessionId: "session-1", resumeToken: "secret-1", nextSample: 0n, epoch: 1, ...started };
    this.send({ case: "sessionStarted", value });
  }

  ack(throughSample: number): void {
    const value = { throughSample: BigInt(throughSample), throughMs: Math.floor(throughSample / 16) };
    this.send({ case: "audioAck", value });
  }

  transcript(value: MessageInitShape<typeof TranscriptSchema>): void {
    this.send({ case: "transcript", value });
  }

  finish(): void {
    this.send({ case: "sessionSummary", value: { sessionId: "session-1" } });
    this.end();
  }

  end(): void {
    this.#push("end");
  }

  fail(code: Code, message = "scripted"): void {
    this.#push(new ConnectError(message, code));
  }

  markGone(): void {
    this.isGone = true;
    this.#wake();
  }

  async read(requests: AsyncIterable<TranscribeRequest>, onConfig: () => void): Promise<void> {
    try {
      for await (const { message } of requests) {
        if (message.case === "config") {
          this.config = message.value;
          onConfig();
        } else {
          this.received.push(message);
          this.#wake();
        }
      }
      this.isHalfClosed = true;
    } catch {
      this.isGone = true;
    }
    this.#wake();
  }

  async *responses(): AsyncGenerator<TranscribeResponse> {
    for (;;) {
      await this.#until(() => this.#queue.length > 0 || this.isGone);
      const next = this.#queue.shift();
      if (next === undefined || next === "end") return;
      if (next instanceof ConnectError) throw next;
      yield next;
    }
  }

  #push(item: TranscribeResponse | ConnectError | "end"): void {
    this.#queue.push(item);
    this.#wake();
  }
}
