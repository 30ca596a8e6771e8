/** Connections that are open and dead, and the signs of life that tell them from quiet ones. */
import { Code } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { settle } from "../fakes/manual-clock.ts";
import { samples, startBench, watch } from "./transcription-bench.ts";
import type { Bench, Watched } from "./transcription-bench.ts";
import type { ScriptedStream } from "../fakes/scripted-transcription-server.ts";

let bench: Bench;
beforeEach(async () => {
  bench = await startBench();
});
afterEach(() => bench.close());

async function live(
  options: Parameters<Bench["open"]>[0] = {},
): Promise<Watched & { first: ScriptedStream }> {
  const watched = bench.open(options);
  const first = await bench.server.stream(0);
  first.start();
  await watched.until(() => watched.transcription.state === "live");
  return { ...watched, first };
}

test("a keep-alive goes up when nothing else did for 3 s, and not while audio does", async () => {
  const { transcription, first, until } = await live();
  await bench.clock.advance(2999);
  expect(first.controls).toEqual([]);
  await bench.clock.advance(1);
  await first.until(({ controls }) => controls.length === 1);
  expect(first.controls).toEqual(["keepAlive"]);
  for (let at = 0; at < 96_000; at += 1600) {
    void transcription.write(samples(at, at + 1600));
    await first.until(({ heard }) => heard?.to === at + 1600);
    first.ack(at + 1600);
    await until(() => transcription.unacknowledgedMs === 0);
    await bench.clock.advance(100);
  }
  expect(first.controls).toEqual(["keepAlive"]);
});

test("a quiet session stays as long as the server gives signs of life", async () => {
  const { transcription, first } = await live();
  for (let beat = 0; beat < 10; beat++) {
    await bench.clock.advance(3000);
    await first.until(({ controls }) => controls.length > beat);
    first.ack(0);
    await settled();
  }
  expect(transcription.state).toBe("live");
  expect(bench.server.streams.length).toBe(1);
});

describe("a half-open connection", () => {
  test("is noticed 8 s after the last sign of life, and replaced", async () => {
    const { transcription, states, until, first } = await live();
    void transcription.write(samples(0, 3200));
    await first.until(({ heard }) => heard?.to === 3200);
    bench.proxy.freeze();
    await bench.clock.advance(7999);
    expect(transcription.state).toBe("live");
    await bench.clock.advance(1);
    expect(transcription.state).toBe("reconnecting");
    expect(states.at(-1)?.[1]).toMatchObject({ name: "StreamLeft", reason: "silent" });
    const second = await bench.server.stream(1);
    second.start({ nextSample: 1000n });
    await second.until(({ heard }) => heard?.to === 3200);
    await until(() => transcription.state === "live");
    expect(second.heard?.from).toBe(1000);
  });

  test("is left even with one transport, when that transport pings", async () => {
    const transport = createGrpcTransport({
      baseUrl: `http://127.0.0.1:${bench.proxy.port}`,
      pingIntervalMs: 200,
      pingTimeoutMs: 200,
    });
    const { transcription, until } = await live({ transport, timing: { minBackoffMs: 50 } });
    bench.proxy.freeze();
    await until(() => transcription.state === "reconnecting"); // the clock stands still: it is the ping that found it
    await settled();
    await bench.clock.advance(50);
    const second = await bench.server.stream(1);
    second.start();
    await until(() => transcription.state === "live");
  });

  test("is noticed while the summary is waited for", async () => {
    const { transcription, first, outcome } = await live();
    transcription.end();
    await first.until(({ isHalfClosed }) => isHalfClosed);
    bench.proxy.freeze();
    await bench.clock.advance(8000);
    const second = await bench.server.stream(1);
    second.start();
    await second.until(({ isHalfClosed }) => isHalfClosed);
    second.finish();
    expect(await outcome).toBeUndefined();
  });

  test("is given up before the session started, too", async () => {
    const { until, transcription } = bench.open();
    await bench.server.stream(0);
    bench.proxy.freeze();
    await bench.clock.advance(10_000);
    const second = await bench.server.stream(1);
    second.start();
    await until(() => transcription.state === "live");
  });

  test("that lets everything through later takes the session over from the next stream, and loses it again", async () => {
    const { transcription, until } = await live();
    bench.proxy.freeze();
    await bench.clock.advance(8000);
    const second = await bench.server.stream(1);
    second.start({ epoch: 2 });
    await until(() => transcription.state === "live");
    second.fail(Code.Aborted, "another stream continues the session");
    const third = await bench.server.stream(2);
    third.start({ epoch: 4 });
    await until(() => transcription.state === "live");
    third.fail(Code.Aborted, "another stream continues the session");
    await until(() => transcription.state === "failed");
  });
});

test("a process that slept reads what came meanwhile before it calls the server dead", async () => {
  let nowMs = 0;
  const timers = new Set<{ dueMs: number; callback: () => void }>();
  const clock = {
    now: () => nowMs,
    after(ms: number, callback: () => void) {
      const timer = { dueMs: nowMs + ms, callback };
      timers.add(timer);
      return () => void timers.delete(timer);
    },
  };
  const wakeAt = (ms: number) => {
    nowMs = ms;
    for (const timer of [...timers]) {
      if (timer.dueMs > nowMs || !timers.delete(timer)) continue;
      timer.callback();
    }
  };
  const { transcription, until } = watch({
    transport: bench.transport(bench.proxy.port),
    token: "t",
    config: { encoding: 1, sampleRateHz: 16_000 },
    clock,
  });
  const stream = await bench.server.stream(0);
  stream.start();
  await until(() => transcription.state === "live");
  wakeAt(3_600_000);
  expect(transcription.state).toBe("live");
  wakeAt(3_601_000);
  await until(() => transcription.state === "reconnecting");
  transcription.cancel();
  expect(timers.size).toBe(0);
});

/** Sockets need more turns than promises. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await settle();
}
