/** A client that speaks: streams samples through the generated client, and keeps what came back and when. */
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import type { Transport } from "@connectrpc/connect";
import { create } from "@bufbuild/protobuf";
import { Target, TokenService } from "../../gen/ts/parley/token/v1/token_pb.ts";
import {
  AudioEncoding,
  TranscribeRequestSchema,
  TranscriptionService,
} from "../../gen/ts/parley/transcription/v1/transcription_pb.ts";
import type {
  SessionSummary,
  TranscribeRequest,
  TranscribeResponse,
} from "../../gen/ts/parley/transcription/v1/transcription_pb.ts";

export interface ReceivedEvent {
  /** Since the first audio was sent, in milliseconds. */
  readonly atMs: number;
  readonly response: TranscribeResponse;
}

export interface Heard {
  readonly events: readonly ReceivedEvent[];
  readonly summary: SessionSummary;
  /** What AudioAck said last. */
  readonly acknowledged: number;
}

export interface SpeakOptions {
  readonly url: string;
  readonly apiKey: string;
  /** 16-bit samples. */
  readonly samples: Int16Array;
  readonly sampleRateHz?: number;
  /** Sends no faster than it was spoken. Default false. */
  readonly realtime?: boolean;
  /** Length of a chunk. Default 100. */
  readonly chunkMs?: number;
  readonly analyzeOnEnd?: boolean;
  readonly onEvent?: (event: ReceivedEvent) => void;
}

export function transportTo(url: string, credential: string): Transport {
  return createGrpcTransport({
    baseUrl: url,
    interceptors: [
      (next) => (request) => {
        request.header.set("authorization", `Bearer ${credential}`);
        return next(request);
      },
    ],
  });
}

export async function mintTranscriptionToken(
  url: string,
  apiKey: string,
  identity = "speaker",
): Promise<string> {
  const { transcriptionToken } = await createClient(
    TokenService,
    transportTo(url, apiKey),
  ).createSessionTokens({
    participantIdentity: identity,
    targets: [Target.TRANSCRIPTION],
  });
  return transcriptionToken;
}

export async function speak(options: SpeakOptions): Promise<Heard> {
  const token = await mintTranscriptionToken(options.url, options.apiKey);
  const client = createClient(TranscriptionService, transportTo(options.url, token));
  const clock = { startedAt: 0 };
  const events: ReceivedEvent[] = [];
  let acknowledged = 0;
  let summary: SessionSummary | undefined;
  for await (const response of client.transcribe(requests(options, clock))) {
    const event = { atMs: performance.now() - clock.startedAt, response };
    events.push(event);
    options.onEvent?.(event);
    if (response.event.case === "audioAck") acknowledged = Number(response.event.value.throughSample);
    if (response.event.case === "sessionSummary") summary = response.event.value;
  }
  if (!summary) throw new Error("the session ended without a summary");
  return { events, summary, acknowledged };
}

async function* requests(
  options: SpeakOptions,
  clock: { startedAt: number },
): AsyncGenerator<TranscribeRequest> {
  const { samples, sampleRateHz = 16_000, chunkMs = 100, realtime = false, analyzeOnEnd = false } = options;
  yield create(TranscribeRequestSchema, {
    message: { case: "config", value: { encoding: AudioEncoding.LINEAR16, sampleRateHz, analyzeOnEnd } },
  });
  clock.startedAt = performance.now();
  const chunk = Math.round((sampleRateHz * chunkMs) / 1000);
  for (let at = 0; at < samples.length; at += chunk) {
    const piece = samples.subarray(at, at + chunk);
    const dueMs = ((at + piece.length) * 1000) / sampleRateHz - (performance.now() - clock.startedAt);
    if (realtime && dueMs > 0) await new Promise((resolve) => setTimeout(resolve, dueMs));
    const data = new Uint8Array(piece.buffer, piece.byteOffset, piece.byteLength);
    yield create(TranscribeRequestSchema, {
      message: { case: "audio", value: { firstSample: BigInt(at), data } },
    });
  }
}
