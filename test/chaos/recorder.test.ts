import { Code, ConnectError, createClient, createRouterTransport } from "@connectrpc/connect";
import { expect, test } from "vitest";
import {
  AudioEncoding,
  TranscriptionService,
} from "../../gen/ts/parley/transcription/v1/transcription_pb.ts";
import type { WireEvent } from "./history.ts";
import { Recorder } from "./recorder.ts";

const untimed = (wire: readonly WireEvent[]) =>
  wire.map((event) => ("atMs" in event ? { ...event, atMs: 0 } : event));

test("writes down what passes in both directions, and how the stream was closed", async () => {
  const recorder = new Recorder(() => undefined);
  const transport = createRouterTransport(
    ({ service }) => {
      service(TranscriptionService, {
        async *transcribe(requests) {
          for await (const { message } of requests) {
            if (message.case === "config") {
              const value = { sessionId: "s", epoch: 2, nextSample: 160n };
              yield { sequence: 7, event: { case: "sessionStarted" as const, value } };
            } else {
              const value = { segmentIndex: 3, isFinal: true, text: "so", startMs: 10, endMs: 20 };
              const words = [{ text: "so", startMs: 11, endMs: 19 }];
              yield { sequence: 8, event: { case: "transcript" as const, value: { ...value, words } } };
              yield { sequence: 9, event: { case: "audioAck" as const, value: { throughSample: 320n } } };
              throw new ConnectError("gone", Code.Unavailable);
            }
          }
        },
      });
    },
    { transport: { interceptors: [recorder.interceptor] } },
  );
  async function* speak() {
    const resume = { sessionId: "s", resumeToken: "t", finalsReceived: 3 };
    const config = { encoding: AudioEncoding.LINEAR16, sampleRateHz: 16_000, resume };
    yield { message: { case: "config" as const, value: config } };
    const audio = { firstSample: 160n, data: new Uint8Array(320) };
    yield { message: { case: "audio" as const, value: audio } };
  }
  const seen: unknown[] = [];
  const reading = (async () => {
    for await (const { event } of createClient(TranscriptionService, transport).transcribe(speak())) {
      seen.push(event.case);
    }
  })();
  await expect(reading).rejects.toThrow("gone");

  const words = [{ text: "so", startMs: 11, endMs: 19 }];
  expect(untimed(recorder.wire)).toEqual([
    { kind: "opened", stream: 0, atMs: 0, finalsReceived: 3 },
    { kind: "started", stream: 0, sequence: 7, atMs: 0, sessionId: "s", epoch: 2, nextSample: 160 },
    { kind: "sent", stream: 0, firstSample: 160, samples: 160 },
    {
      kind: "final",
      stream: 0,
      sequence: 8,
      atMs: 0,
      final: { segmentIndex: 3, text: "so", startMs: 10, endMs: 20, words },
    },
    { kind: "ack", stream: 0, sequence: 9, atMs: 0, throughSample: 320 },
    { kind: "closed", stream: 0, atMs: 0, error: "[unavailable] gone" },
  ]);
  expect(seen).toEqual(["sessionStarted", "transcript", "audioAck"]);
  expect(recorder.sessionId).toBe("s");
});
