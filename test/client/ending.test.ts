/** How a transcription leaves: because the server stops, because the app gives up, or because nobody reads it any more. */
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { WarningCode } from "../../gen/ts/parley/transcription/v1/transcription_pb.ts";
import { createTranscription } from "../../src/client/index.ts";
import { settle } from "../fakes/manual-clock.ts";
import { brief, config, samples, startBench } from "./transcription-bench.ts";
import type { Bench } from "./transcription-bench.ts";

let bench: Bench;
beforeEach(async () => {
  bench = await startBench();
});
afterEach(() => bench.close());

async function speaking(options: Parameters<Bench["open"]>[0] = {}) {
  const watched = bench.open(options);
  void watched.transcription.write(samples(0, 8000));
  const first = await bench.server.stream(0);
  first.start();
  await first.until(({ heard }) => heard?.to === 8000);
  return { ...watched, first };
}

describe("a summary that comes before its time", () => {
  test.each([
    ["though the app has not ended", false],
    ["though not all audio was heard", true],
  ])("%s is no end: what is still to be said would be lost without a word", async (_, ends) => {
    const { transcription, outcome, first } = await speaking();
    if (ends) transcription.end();
    first.ack(ends ? 4000 : 8000);
    first.finish();
    expect(await outcome).toMatchObject({ code: "session-lost" });
    expect(transcription.state).toBe("failed");
  });
});

describe("a server that stops", () => {
  const stopping = (inMs: number) =>
    ({
      case: "warning",
      value: {
        code: WarningCode.SERVER_STOPPING,
        deadlineTime: timestampFromMs(bench.clock.now() + inMs),
      },
    }) as const;

  test("is left as soon as what it heard is acknowledged; new audio waits for the next", async () => {
    const { transcription, events, states, first, until } = await speaking();
    first.send(stopping(4000));
    await first.until(({ controls }) => controls.includes("finalize"));
    void transcription.write(samples(8000, 10_000));
    first.transcript({ segmentIndex: 0, text: "one", isFinal: true });
    first.ack(7990); // the last few milliseconds wait for more
    const second = await bench.server.stream(1);
    expect(first.heard?.to).toBe(8000);
    expect(second.config.resume).toMatchObject({ finalsReceived: 1 });
    second.start({ nextSample: 7990n });
    await second.until(({ heard }) => heard?.to === 10_000);
    expect(second.heard?.from).toBe(7990);
    await until(() => transcription.state === "live");
    expect(states.map(([state]) => state)).toEqual(["live", "reconnecting", "live"]);
    expect(events.map(brief)).toEqual(["sessionStarted", "warning 2", "final 0.0 one", "ack 7990"]);
    expect(bench.clock.now() - 1_700_000_000_000).toBe(0);
  });

  test("is left shortly before its deadline when it does not acknowledge", async () => {
    const { first, until, events, transcription } = await speaking();
    first.send(stopping(2000));
    await until(() => events.length === 2);
    await bench.clock.advance(1499);
    expect(transcription.state).toBe("live");
    await bench.clock.advance(1);
    const second = await bench.server.stream(1);
    second.start({ nextSample: 100n });
    await second.until(({ heard }) => heard?.to === 8000);
    expect(second.heard?.from).toBe(100);
  });

  test("is not left by a session that is ending, for it ends in time or is resumed", async () => {
    const { first, transcription, until, events, outcome } = await speaking();
    transcription.end();
    await first.until(({ isHalfClosed }) => isHalfClosed);
    first.send(stopping(1000));
    await until(() => events.length === 2);
    await bench.clock.advance(1000);
    first.ack(8000);
    first.finish();
    expect(await outcome).toBeUndefined();
    expect(bench.server.streams.length).toBe(1);
  });

  test("that says so on every stream is not asked again and again without waiting", async () => {
    const { transcription, until } = bench.open({ random: () => 1 });
    bench.server.onStream = (stream) => {
      stream.start();
      stream.send(stopping(4000));
    };
    await until(() => transcription.state === "reconnecting");
    for (let turn = 0; turn < 10; turn++) await settle();
    expect(bench.server.streams.length).toBe(1);
    expect(bench.clock.pending()).toBe(1);
  });
});

describe("giving up", () => {
  test.each(["cancel", "signal"])("by %s ends everything at once", async (by) => {
    const abort = new AbortController();
    const { transcription, first, outcome, states } = await speaking({ signal: abort.signal });
    const waiting = transcription.write(samples(0, 80_000));
    const reason = new Error("tired");
    if (by === "cancel") transcription.cancel();
    else abort.abort(reason);
    expect(transcription.state).toBe("failed");
    await waiting;
    expect(await outcome).toMatchObject({ code: "cancelled", ...(by === "signal" && { cause: reason }) });
    await first.until(({ isGone }) => isGone);
    expect(states.at(-1)?.[0]).toBe("failed");
    expect(bench.clock.pending()).toBe(0);
    expect(() => transcription.end()).not.toThrow();
    expect(() => transcription.finalize()).not.toThrow();
  });

  test("works while it waits to reconnect, for a token, and before it began", async () => {
    await bench.proxy.refuse();
    const waiting = bench.open({ random: () => 1, timing: { firstBackoffMs: 5000 } });
    await expect.poll(() => bench.clock.pending()).toBe(1);
    waiting.transcription.cancel();
    const asking = bench.open({ token: () => new Promise(() => undefined) });
    asking.transcription.cancel();
    const late = bench.open({ signal: AbortSignal.abort() });
    for (const { outcome } of [waiting, asking, late])
      expect(await outcome).toMatchObject({ code: "cancelled" });
    expect(bench.clock.pending()).toBe(0);
    expect(bench.server.streams.length).toBe(0);
  });

  test("is what leaving the loop means, unless the summary was read", async () => {
    const transport = bench.transport(bench.server.port);
    const left = createTranscription({ transport, token: "t", config, clock: bench.clock });
    const first = await bench.server.stream(0);
    first.start();
    for await (const event of left) if (event.case === "sessionStarted") break;
    expect(left.state).toBe("failed");
    await first.until(({ isGone }) => isGone);

    const done = createTranscription({ transport, token: "t", config, clock: bench.clock });
    const second = await bench.server.stream(1);
    second.start();
    second.send({ case: "sessionSummary", value: {} });
    for await (const event of done) if (event.case === "sessionSummary") break;
    expect(done.state).toBe("ended");
    expect(bench.clock.pending()).toBe(0);
  });

  test("throws once, and after that there is nothing to read", async () => {
    const { transcription, outcome } = bench.open();
    transcription.cancel();
    expect(await outcome).toMatchObject({ code: "cancelled" });
    expect(await transcription[Symbol.asyncIterator]().next()).toEqual({ done: true, value: undefined });
  });

  test("leaves no rejection behind when nobody reads", async () => {
    const unhandled: unknown[] = [];
    const note = (error: unknown) => unhandled.push(error);
    process.on("unhandledRejection", note);
    try {
      const transport = bench.transport(bench.server.port);
      const transcription = createTranscription({ transport, token: "t", config, clock: bench.clock });
      const stream = await bench.server.stream(0);
      stream.start();
      void transcription.write(samples(0, 80_000));
      await stream.until(({ heard }) => heard?.to === 80_000);
      transcription.cancel();
      await stream.until(({ isGone }) => isGone);
      await settle();
      expect(unhandled).toEqual([]);
    } finally {
      process.off("unhandledRejection", note);
    }
  });
});

test("a transport that cannot be made is a failure at once", async () => {
  const transport = () => {
    throw new TypeError("no such address");
  };
  expect(await bench.open({ transport }).outcome).toMatchObject({ code: "invalid" });
});
