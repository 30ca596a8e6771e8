/** The transcription against a scripted server over real sockets, with its clock moved by hand. */
import { Code } from "@connectrpc/connect";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { TranscriptionError } from "../../src/client/index.ts";
import { brief, samples, startBench } from "./transcription-bench.ts";
import type { Bench } from "./transcription-bench.ts";

let bench: Bench;
beforeEach(async () => {
  bench = await startBench();
});
afterEach(() => bench.close());

describe("a stream that does not break", () => {
  test("sends what is written, shows the events, and ends with the summary", async () => {
    const { transcription, events, states, outcome } = bench.open();
    expect(transcription.state).toBe("connecting");
    void transcription.write(samples(0, 4000));
    const stream = await bench.server.stream(0);
    expect(stream.authorization).toBe("Bearer token-1");
    expect(stream.config).toMatchObject({ sampleRateHz: 16_000, channelCount: 1 });
    stream.start();
    await stream.until(({ heard }) => heard?.to === 4000);
    stream.transcript({ segmentIndex: 0, text: "hello" });
    stream.transcript({ segmentIndex: 0, revision: 1, text: "hello there", isFinal: true });
    stream.ack(4000);
    transcription.end();
    await stream.until(({ isHalfClosed }) => isHalfClosed);
    stream.finish();
    expect(await outcome).toBeUndefined();
    expect(events.map(brief)).toEqual([
      "sessionStarted",
      "interim 0.0 hello",
      "final 0.1 hello there",
      "ack 4000",
      "sessionSummary",
    ]);
    expect(states.map(([state]) => state)).toEqual(["live", "ending", "ended"]);
    expect(transcription).toMatchObject({ state: "ended", writtenMs: 250, sentMs: 250, unacknowledgedMs: 0 });
    expect(bench.clock.pending()).toBe(0);
  });
});

describe("a stream that breaks", () => {
  test("is resumed, and the audio sent again from where the server says", async () => {
    const { transcription, events, until, outcome } = bench.open();
    void transcription.write(samples(0, 4000));
    const first = await bench.server.stream(0);
    first.start();
    await first.until(({ heard }) => heard?.to === 4000);
    first.transcript({ segmentIndex: 0, text: "one", isFinal: true });
    first.ack(1000);
    await until(() => events.length === 3);
    bench.proxy.cut();
    await until(() => transcription.state === "reconnecting");
    void transcription.write(samples(4000, 6000));

    const second = await bench.server.stream(1);
    expect(second.config.resume).toMatchObject({
      sessionId: "session-1",
      resumeToken: "secret-1",
      finalsReceived: 1,
    });
    second.start({ nextSample: 1500n, epoch: 2 });
    await second.until(({ heard }) => heard?.to === 6000);
    expect(second.heard).toEqual({ from: 1500, to: 6000 });
    expect(transcription.unacknowledgedMs).toBe(4500 / 16);
    transcription.end();
    await second.until(({ isHalfClosed }) => isHalfClosed);
    second.ack(6000);
    second.finish();
    expect(await outcome).toBeUndefined();
    expect(events.map(brief)).toEqual([
      "sessionStarted",
      "final 0.0 one",
      "ack 1000",
      "ack 6000",
      "sessionSummary",
    ]);
  });

  test("that another client continues is a failure, and no end", async () => {
    const { transcription, outcome } = bench.open();
    const first = await bench.server.stream(0);
    first.start();
    first.fail(Code.Aborted, "another stream continues the session");
    expect(await outcome).toBeInstanceOf(TranscriptionError);
    expect(await outcome).toMatchObject({ code: "superseded" });
    expect(transcription.state).toBe("failed");
    expect(bench.clock.pending()).toBe(0);
  });
});
