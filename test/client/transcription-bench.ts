/** A transcription that talks to a scripted server through a proxy that can stumble, with what it showed and did. */
import type { Transport } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { createTranscription } from "../../src/client/index.ts";
import type {
  Transcription,
  TranscriptionEvent,
  TranscriptionOptions,
  TranscriptionState,
} from "../../src/client/index.ts";
import { AudioEncoding } from "../../gen/ts/parley/transcription/v1/transcription_pb.ts";
import { createManualClock } from "../fakes/manual-clock.ts";
import type { ManualClock } from "../fakes/manual-clock.ts";
import { startScriptedTranscriptionServer } from "../fakes/scripted-transcription-server.ts";
import type { ScriptedTranscriptionServer } from "../fakes/scripted-transcription-server.ts";
import { startTcpProxy } from "../fakes/tcp-proxy.ts";
import type { TcpProxy } from "../fakes/tcp-proxy.ts";

export interface Bench {
  readonly server: ScriptedTranscriptionServer;
  readonly proxy: TcpProxy;
  readonly clock: ManualClock;
  /** A transcription with the manual clock and no waiting between streams, if not said otherwise. */
  open(options?: Partial<TranscriptionOptions>): Watched;
  /** One with a connection of its own. */
  readonly transport: (port: number) => Transport;
  close(): Promise<void>;
}

export interface Watched {
  readonly transcription: Transcription;
  /** What the app has seen. */
  readonly events: readonly TranscriptionEvent[];
  readonly states: readonly (readonly [state: TranscriptionState, reason: Error | undefined])[];
  /** Resolves with undefined at the end, and with the error at a failure. */
  readonly outcome: Promise<unknown>;
  /** Resolves when that holds; looked at with each event and state, and now. */
  readonly until: (holds: () => boolean) => Promise<void>;
}

/** 16-bit mono at 16 kHz. */
export const config = { encoding: AudioEncoding.LINEAR16, sampleRateHz: 16_000 };

export async function startBench(): Promise<Bench> {
  const server = await startScriptedTranscriptionServer();
  const proxy = await startTcpProxy({ host: "127.0.0.1", port: server.port });
  const clock = createManualClock();
  const opened: Transcription[] = [];
  const transport = (port: number) => createGrpcTransport({ baseUrl: `http://127.0.0.1:${port}` });
  return {
    transport,
    server,
    proxy,
    clock,
    open(options = {}) {
      const watched = watch({
        transport: () => transport(proxy.port),
        token: "token-1",
        config,
        clock,
        random: () => 0,
        ...options,
        timing: { minBackoffMs: 0, ...options.timing },
      });
      opened.push(watched.transcription);
      return watched;
    },
    async close() {
      for (const transcription of opened) transcription.cancel();
      await proxy.close();
      await server.close();
    },
  };
}

/** Reads the events as an app does. */
export function watch(options: TranscriptionOptions): Watched {
  const events: TranscriptionEvent[] = [];
  const states: (readonly [TranscriptionState, Error | undefined])[] = [];
  const waiting = new Set<() => void>();
  const wake = () => {
    for (const look of [...waiting]) look();
  };
  const transcription = createTranscription({
    ...options,
    onStateChange(state, reason) {
      states.push([state, reason]);
      options.onStateChange?.(state, reason);
      wake();
    },
  });
  const read = async (): Promise<unknown> => {
    try {
      for await (const event of transcription) {
        events.push(event);
        wake();
      }
      return undefined;
    } catch (error) {
      return error;
    }
  };
  return {
    transcription,
    events,
    states,
    outcome: read(),
    until: (holds) =>
      new Promise((resolve) => {
        const look = () => {
          if (!holds()) return;
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        look();
      }),
  };
}

/** So many samples of 16-bit mono, each holding the low bits of its place. */
export function samples(from: number, to: number): Uint8Array {
  return new Uint8Array(Int16Array.from({ length: to - from }, (_, index) => from + index).buffer);
}

/** An event in a line, for comparing. */
export function brief(event: TranscriptionEvent): string {
  switch (event.case) {
    case "audioAck":
      return `ack ${event.value.throughSample}`;
    case "transcript": {
      const { segmentIndex, revision, isFinal, text } = event.value;
      return `${isFinal ? "final" : "interim"} ${segmentIndex}.${revision} ${text}`.trim();
    }
    case "audioGap":
      return `gap ${event.value.firstSample}-${event.value.endSample}`;
    case "warning":
      return `warning ${event.value.code}`;
    case "speechActivity":
      return `speech ${event.value.state} at ${event.value.atMs}`;
    case "sessionStarted":
    case "deliveryUpdate":
    case "sessionSummary":
      return event.case;
  }
}
