/** A speaker: one session after the other with the client that apps use, at a pace, until the run is over. */
import { createGrpcTransport } from "@connectrpc/connect-node";
import { AudioEncoding } from "../../gen/ts/parley/transcription/v1/transcription_pb.ts";
import { createTranscription, createWebSocketTransport } from "../../src/client/index.ts";
import type { TranscriptionTiming } from "../../src/client/index.ts";
import type { Recording } from "../bench/recordings.ts";
import { toFinal } from "./recorder.ts";
import type { TransportKind } from "./options.ts";
import type { Recorder } from "./recorder.ts";
import type { Stage } from "./stage.ts";

export interface SpeakerOptions {
  /** From 0. */
  readonly index: number;
  /** Where the next stream's audio goes; may be a proxy. */
  readonly url: () => string;
  /** A fresh transcription token, not through the proxy. */
  readonly mintToken: () => Promise<string>;
  readonly recording: Recording;
  readonly stage: Stage;
  readonly transport: TransportKind;
  /** Times real time. */
  readonly pace: number;
  readonly timing: Partial<TranscriptionTiming>;
}

const chunkMs = 100;

/** Resolves when the run is over and the last session has ended. */
export async function speakUntilOver(options: SpeakerOptions): Promise<void> {
  const { index, stage, mintToken } = options;
  for (let count = 0; !stage.isOver || count === 0; count++) {
    const token = await untilItSucceeds(mintToken);
    const recorder = stage.begin(index, `speaker ${index}, session ${count}`);
    const failure = await speakOnce(options, recorder, token).catch((error: unknown) => String(error));
    await stage.end(recorder, failure);
  }
}

/** Resolves with what the app was told when it did not end well. */
async function speakOnce(
  { url, transport, recording, pace, timing }: SpeakerOptions,
  recorder: Recorder,
  token: string,
): Promise<string | undefined> {
  const transcription = createTranscription({
    transport: () => {
      const options = { baseUrl: url(), interceptors: [recorder.interceptor] };
      return transport === "websocket"
        ? createWebSocketTransport(options)
        : createGrpcTransport({ ...options, idleConnectionTimeoutMs: 1_000 });
    },
    token,
    config: { encoding: AudioEncoding.LINEAR16, sampleRateHz: recording.sampleRateHz },
    timing,
  });
  const writing = (async () => {
    const chunk = (recording.sampleRateHz * chunkMs) / 1000;
    for (let at = 0; at < recording.samples.length; at += chunk) {
      const piece = recording.samples.subarray(at, at + chunk);
      await transcription.write(new Uint8Array(piece.buffer, piece.byteOffset, piece.byteLength));
      await new Promise((resolve) => setTimeout(resolve, chunkMs / pace));
    }
    transcription.end();
  })();
  let hasSummary = false;
  for await (const event of transcription) {
    if (event.case === "transcript" && event.value.isFinal) recorder.seenByApp.push(toFinal(event.value));
    if (event.case === "sessionSummary") hasSummary = true;
  }
  await writing;
  return hasSummary ? undefined : "an end without a summary";
}

/** The server may be away when a session begins; minting a token is not what is tried here. */
async function untilItSucceeds<T>(work: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}
