/**
 * The transcription against a model of the server that acknowledges, breaks, falls silent and forgets to answer at
 * random: whatever happens, all audio arrives with no hole, and each event reaches the app once and in order.
 */
import { create } from "@bufbuild/protobuf";
import { Code, ConnectError, createRouterTransport } from "@connectrpc/connect";
import type { HandlerContext } from "@connectrpc/connect";
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  TranscribeResponseSchema,
  TranscriptionService,
} from "../../gen/ts/parley/transcription/v1/transcription_pb.ts";
import type {
  StreamConfig,
  TranscribeRequest,
  TranscribeResponse,
} from "../../gen/ts/parley/transcription/v1/transcription_pb.ts";
import type { TranscriptionEvent } from "../../src/client/index.ts";
import { createManualClock } from "../fakes/manual-clock.ts";
import type { EventInit } from "../fakes/scripted-transcription-server.ts";
import { config, samples, watch } from "./transcription-bench.ts";

/** What the server does with a message of the client, the config and the half-close among them. */
const acts = [
  "nothing",
  "interim",
  "interim-ahead",
  "ack",
  "final",
  "final-unsent",
  "final-unacknowledged",
  "break",
  "aborted-socket",
  "end",
  "silence",
] as const;
type Act = (typeof acts)[number];

class ModelServer {
  readonly finals: { from: number; to: number }[] = [];
  readonly gaps: string[] = [];
  committed = 0;
  streams = 0;
  #sessionId = 0;
  #isComplete = false;
  readonly #script: Act[];

  constructor(script: readonly Act[]) {
    this.#script = [...script];
  }

  async *transcribe(
    requests: AsyncIterable<TranscribeRequest>,
    { signal }: HandlerContext,
  ): AsyncGenerator<TranscribeResponse> {
    let received = 0;
    let isFirstChunk = true;
    const open = new Set<number>();
    const interim = (index: number) => {
      open.add(index);
      return reply({ case: "transcript", value: { segmentIndex: index, text: "maybe" } });
    };
    this.streams += 1;
    for await (const { message } of requests) {
      if (message.case === "config") {
        // What a stream does before it answers is drawn, too.
        yield* this.#stumble(signal);
        received = this.#open(message.value);
        yield reply({
          case: "sessionStarted",
          value: {
            sessionId: String(this.#sessionId),
            resumeToken: "secret",
            nextSample: BigInt(received),
            epoch: this.streams,
          },
        });
        const had = message.value.resume?.finalsReceived ?? 0;
        for (let index = had; index < this.finals.length; index++) yield this.#final(index);
        if (this.#isComplete) break;
        continue;
      }
      if (message.case !== "audio") continue;
      const from = Number(message.value.firstSample);
      if (from !== received && !isFirstChunk)
        throw new ConnectError(`${from} is not ${received}`, Code.InvalidArgument);
      if (from > received) this.gaps.push(`${received}-${from}`);
      isFirstChunk = false;
      received = from + message.value.data.length / 2;
      const act = this.#script.shift() ?? "final";
      switch (act) {
        case "interim":
          yield interim(this.finals.length);
          break;
        case "interim-ahead":
          yield interim(this.finals.length + 1);
          break;
        case "ack":
          yield this.#ack();
          break;
        case "final":
        case "final-unsent":
        case "final-unacknowledged":
          this.#commit(received);
          if (act !== "final-unsent") yield this.#final(this.finals.length - 1);
          if (act === "final") yield this.#ack();
          else throw new ConnectError("broken", Code.Unavailable);
          break;
        case "nothing":
          break;
        case "break":
        case "aborted-socket":
        case "end":
        case "silence":
          this.#script.unshift(act);
          yield* this.#stumble(signal);
          if (act === "end") return;
      }
    }
    if (!this.#isComplete) {
      if (received > this.committed) this.#commit(received);
      this.#isComplete = true;
      yield* this.#stumble(signal);
      yield this.#final(this.finals.length - 1);
    }
    for (const index of open) {
      if (index >= this.finals.length)
        yield reply({ case: "transcript", value: { segmentIndex: index, revision: 1 } });
    }
    yield this.#ack();
    yield reply({ case: "sessionSummary", value: {} });
  }

  #open({ resume }: StreamConfig): number {
    if (!resume) {
      // Nothing of a session whose start the client never heard of matters.
      this.#sessionId += 1;
      this.finals.length = this.gaps.length = this.committed = 0;
      return 0;
    }
    expect(resume).toMatchObject({ sessionId: String(this.#sessionId), resumeToken: "secret" });
    expect(resume.finalsReceived).toBeLessThanOrEqual(this.finals.length);
    return this.committed;
  }

  #commit(through: number): void {
    this.finals.push({ from: this.committed, to: through });
    this.committed = through;
  }

  #final(index: number): TranscribeResponse {
    const { from, to } = this.finals[index]!;
    return reply({
      case: "transcript",
      value: { segmentIndex: index, isFinal: true, text: `${from}-${to}` },
    });
  }

  #ack(): TranscribeResponse {
    const value = { throughSample: BigInt(this.committed), throughMs: Math.floor(this.committed / 16) };
    return reply({ case: "audioAck", value });
  }

  async *#stumble(signal: AbortSignal): AsyncGenerator<never> {
    switch (this.#script.shift()) {
      case "break":
        throw new ConnectError("broken", Code.Unavailable);
      case "aborted-socket":
        throw new ConnectError("http/2 stream closed with error code CANCEL (0x8)", Code.Canceled);
      case "silence":
        await new Promise((resolve) => signal.addEventListener("abort", resolve));
        throw new ConnectError("gone", Code.Canceled);
      default:
    }
  }
}

function reply(event: EventInit): TranscribeResponse {
  return create(TranscribeResponseSchema, { event });
}

/** A hole in the finals, an event twice, an interim left open: an empty list is what should be. */
function faults(events: readonly TranscriptionEvent[], server: ModelServer, total: number): string[] {
  const found: string[] = [];
  const shown = events.flatMap(({ case: kind, value }) => (kind === "transcript" ? [value] : []));
  const finals = shown.filter(({ isFinal }) => isFinal).map(({ text }) => text);
  const committed = server.finals.map(({ from, to }) => `${from}-${to}`);
  if (finals.join() !== committed.join()) found.push(`finals ${finals.join()} for ${committed.join()}`);
  if (server.committed !== total) found.push(`${server.committed} of ${total} samples are committed`);
  if (server.gaps.length > 0) found.push(`holes ${server.gaps.join()}`);
  const acks = events.flatMap(({ case: kind, value }) =>
    kind === "audioAck" ? [Number(value.throughSample)] : [],
  );
  if (acks.some((ack, index) => ack <= (acks[index - 1] ?? 0))) found.push(`acks ${acks.join()}`);
  const kinds = events.map((event) => event.case);
  if (kinds.filter((kind) => kind === "sessionStarted").length !== 1 || kinds[0] !== "sessionStarted") {
    found.push("not one SessionStarted first");
  }
  if (kinds.filter((kind) => kind === "sessionSummary").length !== 1 || kinds.at(-1) !== "sessionSummary") {
    found.push("not one SessionSummary last");
  }
  for (const index of new Set(shown.map(({ segmentIndex }) => segmentIndex))) {
    const results = shown.filter(({ segmentIndex }) => segmentIndex === index);
    const last = results.at(-1)!;
    if (!last.isFinal && last.text !== "") found.push(`segment ${index} is left open`);
    if (results.slice(0, -1).some(({ isFinal }) => isFinal))
      found.push(`segment ${index} goes on after its final`);
  }
  return found;
}

async function play(script: readonly Act[], pieces: readonly number[]): Promise<string[]> {
  const server = new ModelServer(script);
  const clock = createManualClock();
  const transport = createRouterTransport(({ service }) => {
    service(TranscriptionService, { transcribe: server.transcribe.bind(server) });
  });
  const { transcription, events, outcome } = watch({
    transport,
    token: "t",
    config,
    clock,
    random: () => 0,
    timing: { minBackoffMs: 0 },
  });
  const isOver = () => ["ended", "failed"].includes(transcription.state);
  let written = 0;
  for (const piece of pieces) {
    void transcription.write(samples(written, (written += piece)));
    await clock.advance(piece / 16);
  }
  transcription.end();
  for (let second = 0; second < 1200 && !isOver(); second++) await clock.advance(1000);
  if (!isOver()) {
    transcription.cancel();
    return [`not over, ${transcription.state}`];
  }
  const error = await outcome;
  if (error instanceof Error) return [error.message];
  return [...faults(events, server, written), ...(clock.pending() > 0 ? ["timers are left"] : [])];
}

test("whatever breaks, all audio arrives and every event is shown once", { timeout: 120_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom(...acts), { maxLength: 40 }),
      fc.array(fc.integer({ min: 1, max: 5000 }), { minLength: 1, maxLength: 25 }),
      async (script, pieces) => {
        expect(await play(script, pieces)).toEqual([]);
      },
    ),
    { numRuns: 60 },
  );
});
