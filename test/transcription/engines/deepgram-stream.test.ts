/**
 * One Deepgram stream on a connection that the test works by hand, for what a well-behaved fake does not say: results that
 * overlap or fall short, and ends that claim too much. What counts is that nothing is acknowledged that is not accounted for.
 */
import { describe, expect, it } from "vitest";
import type {
  ConnectionHandlers,
  ListenConnection,
} from "../../../src/transcription/engines/deepgram/connection.ts";
import { DeepgramStream } from "../../../src/transcription/engines/deepgram/deepgram-stream.ts";
import type { DeepgramMessage } from "../../../src/transcription/engines/deepgram/wire.ts";
import type { EngineError, EngineEvent } from "../../../src/transcription/engines/speech-engine.ts";
import { createManualClock } from "../../fakes/manual-clock.ts";
import { checkEvents } from "./engine-checks.ts";

const rate = 16_000;
const seconds = (count: number) => new Float32Array(rate * count);

function openByHand() {
  const clock = createManualClock();
  const sent: (string | number)[] = [];
  const audio: Int16Array[] = [];
  const events: EngineEvent[] = [];
  const errors: EngineError[] = [];
  let handlers: ConnectionHandlers | undefined;
  let isDiscarded = false;
  const connection: ListenConnection & { bufferedBytes: number } = {
    bufferedBytes: 0,
    listen: (given) => (handlers = given),
    sendAudio(samples) {
      sent.push(samples.length);
      audio.push(samples);
    },
    sendKeepAlive: () => sent.push("KeepAlive"),
    sendFinalize: () => sent.push("Finalize"),
    sendCloseStream: () => sent.push("CloseStream"),
    discard: () => (isDiscarded = true),
  };
  let overs = 0;
  const stream = new DeepgramStream({
    connection,
    clock,
    stream: {
      language: "en",
      interimResults: true,
      onEvent: (event) => events.push(event),
      onError: (error) => errors.push(error),
    },
    onProblem: () => undefined,
    onOver: () => (overs += 1),
  });
  stream.start();
  return {
    ...{ stream, clock, connection, sent, audio, events, errors },
    say: (message: DeepgramMessage) => handlers!.onMessage(message),
    handlers: () => handlers!,
    isDiscarded: () => isDiscarded,
    overs: () => overs,
    boundary: () => events.findLast((event) => event.type === "boundary")?.throughSample,
    text: () => events.flatMap((event) => (event.type === "final" ? [event.text] : [])).join(" | "),
  };
}

type Flags = Partial<Record<"is_final" | "speech_final" | "from_finalize", boolean>>;

function results(
  start: number,
  end: number,
  words: readonly (readonly [string, number, number])[],
  flags: Flags = { is_final: true },
): DeepgramMessage {
  return {
    type: "Results",
    start,
    duration: end - start,
    ...{ is_final: false, speech_final: false, from_finalize: false, ...flags },
    channel: {
      alternatives: [
        {
          transcript: words.map(([word]) => word).join(" "),
          words: words.map(([word, from, to]) => ({ word, start: from, end: to })),
        },
      ],
    },
  };
}

describe("what a Deepgram stream takes from results", () => {
  it("is each word once where finals overlap", async () => {
    const { stream, say, events, text } = openByHand();
    await stream.write(seconds(5));
    say(results(0, 2, [["one", 0.2, 0.6], ["two", 1.2, 1.8]])); // prettier-ignore
    say(results(1, 3, [["two", 1.2, 1.8], ["three", 2.2, 2.8]])); // prettier-ignore
    // The same again, with a last word that hangs over the end.
    say(results(1, 3, [["three", 2.8, 3.4]])); // prettier-ignore
    expect(text()).toBe("one two | three");
    checkEvents(events, rate * 5);
  });

  it("is whole samples in order, however the words lie", async () => {
    const { stream, say, events, text } = openByHand();
    await stream.write(seconds(5));
    const crowded = ["a", "b", "c", "d"].map((word) => [word, 1.9999, 2.5] as const);
    say(results(0, 2, [["backwards", 1.5, 1.2], ["within", 1.3, 1.4], ...crowded])); // prettier-ignore
    expect(text()).toBe("backwards within a b c d");
    checkEvents(events, rate * 5);
  });

  it("is no boundary from an interim, and no more than was sent", async () => {
    const { stream, say, boundary } = openByHand();
    await stream.write(seconds(2));
    say(results(0, 1.5, [["one", 0.2, 0.6]], {}));
    expect(boundary()).toBeUndefined();
    say(results(0, 9, [["one", 0.2, 0.6]]));
    expect(boundary()).toBe(rate * 2);
  });

  it("is a boundary where there was no speech", async () => {
    const { stream, say, boundary, events } = openByHand();
    await stream.write(seconds(4));
    say(results(0, 3, []));
    expect(boundary()).toBe(rate * 3);
    expect(events).toHaveLength(1);
  });

  it("does not end speech that began after the utterance that has ended", async () => {
    const { stream, say, events } = openByHand();
    await stream.write(seconds(5));
    say(results(0, 1, [["one", 0.2, 0.6]], { is_final: true, speech_final: true }));
    say(results(1, 3, [["two", 2.2, 2.8]], {}));
    say({ type: "UtteranceEnd", last_word_end: 0.6 });
    const states = () => events.flatMap((event) => (event.type === "speech" ? [event.state] : []));
    expect(states()).toEqual(["started", "ended", "started"]);
    say({ type: "UtteranceEnd", last_word_end: 2.8 });
    expect(states()).toEqual(["started", "ended", "started", "ended"]);
  });
});

describe("what a Deepgram stream sends", () => {
  it("is gathered to 20 ms at least, and nothing is left behind by finalize or by silence", async () => {
    const { stream, sent, clock } = openByHand();
    for (let count = 0; count < 400; count++) await stream.write(new Float32Array(1));
    expect(sent).toEqual([320]);
    stream.finalize().catch(() => undefined);
    expect(sent).toEqual([320, 80, "Finalize"]);
    stream.abort();

    const other = openByHand();
    await other.stream.write(new Float32Array(10));
    await other.clock.advance(4_500);
    expect(other.sent).toEqual([10, "KeepAlive"]);
    expect(clock.pending()).toBe(0);
  });

  it("is 16-bit audio, clipped and not wrapped around, in pieces of 250 ms at most", async () => {
    const { stream, audio } = openByHand();
    await stream.write(Float32Array.from({ length: 9_000 }, (_, index) => [1.5, -1.5, 0.5][index % 3]!));
    expect(audio.map((piece) => piece.length)).toEqual([4_000, 4_000, 1_000]);
    expect([...audio[0]!.subarray(0, 3)]).toEqual([32_767, -32_768, 16_384]);
  });

  it("waits while the network does not take it", async () => {
    const { stream, connection, handlers } = openByHand();
    connection.bufferedBytes = 100_000;
    let isDone = false;
    const writing = stream.write(seconds(1)).then(() => (isDone = true));
    handlers().onSent();
    await Promise.resolve();
    expect(isDone).toBe(false);
    connection.bufferedBytes = 10_000;
    handlers().onSent();
    await writing;
  });
});

describe("what a Deepgram stream acknowledges", () => {
  it("is, at finalize, all that was asked for, though the answer ends some frames short", async () => {
    const { stream, say, boundary, text, events } = openByHand();
    await stream.write(seconds(2));
    const finalized = stream.finalize();
    say(results(0, 1.93, [["one", 0.2, 0.6]], { is_final: true, from_finalize: true }));
    await finalized;
    expect(boundary()).toBe(rate * 2);
    await stream.write(seconds(1));
    say(results(1.93, 3, [["two", 1.94, 2.04], ["three", 2.2, 2.8]])); // prettier-ignore
    expect(text()).toBe("one | two three");
    checkEvents(events, rate * 3);
  });

  it("is, at finalize, no more than the answer says where it ends well short", async () => {
    const { stream, say, boundary, clock, sent } = openByHand();
    await stream.write(seconds(2));
    const finalized = stream.finalize();
    finalized.catch(() => undefined);
    say(results(0, 1.5, [["one", 0.2, 0.6]], { is_final: true, from_finalize: true }));
    expect(boundary()).toBe(rate * 1.5);
    await clock.advance(3_500);
    expect(sent.at(-1)).toBe("CloseStream");
    stream.abort();
    await expect(finalized).rejects.toMatchObject({ retryable: false });
  });

  it("is, for a second finalize right behind the first, not the answer to the first", async () => {
    const { stream, say, boundary } = openByHand();
    await stream.write(seconds(2));
    const first = stream.finalize();
    await stream.write(seconds(0.05));
    const second = stream.finalize();
    let isSecondDone = false;
    void second.then(() => (isSecondDone = true));
    say(results(0, 2, [["one", 0.2, 0.6]], { is_final: true, from_finalize: true }));
    await first;
    expect([boundary(), isSecondDone]).toEqual([rate * 2, false]);
    say(results(2, 2.05, [], { is_final: true, from_finalize: true }));
    await second;
    expect(boundary()).toBe(rate * 2.05);
  });

  it("is, at the end, what Deepgram says that it took, and nothing if that is too little", async () => {
    const complete = openByHand();
    await complete.stream.write(seconds(2));
    const ended = complete.stream.end();
    complete.say(results(0, 1.8, [["one", 0.2, 0.6]]));
    complete.say({ type: "Metadata", duration: 1.97 });
    await ended;
    expect(complete.boundary()).toBe(rate * 2);
    expect([complete.errors, complete.isDiscarded(), complete.overs()]).toEqual([[], true, 1]);

    const short = openByHand();
    await short.stream.write(seconds(2));
    const broken = short.stream.end();
    short.say(results(0, 1.5, [["one", 0.2, 0.6]]));
    short.say({ type: "Metadata", duration: 1.5 });
    await expect(broken).rejects.toMatchObject({ code: "unavailable", retryable: true });
    expect(short.boundary()).toBe(rate * 1.5);
    expect([short.errors.length, short.isDiscarded(), short.overs()]).toEqual([1, true, 1]);
  });

  it("is, without that, what the results say", async () => {
    for (const [end, isEnough] of [
      [2, true],
      [1.5, false],
    ] as const) {
      // prettier-ignore
      const { stream, say, handlers } = openByHand();
      await stream.write(seconds(2));
      const ended = stream.end();
      say(results(0, end, [["one", 0.2, 0.6]]));
      handlers().onClosed();
      await (isEnough ? ended : expect(ended).rejects.toMatchObject({ retryable: true }));
    }
  });

  it("is nothing of what was written while the stream was being closed for want of an answer", async () => {
    const { stream, say, boundary, clock, errors } = openByHand();
    await stream.write(seconds(2));
    const finalized = stream.finalize();
    await clock.advance(3_500);
    await stream.write(seconds(1));
    say({ type: "Metadata", duration: 2 });
    await finalized;
    expect(boundary()).toBe(rate * 2);
    expect(errors).toMatchObject([{ code: "unavailable", retryable: true }]);
  });

  it("is nothing when Deepgram does not close the stream at all", async () => {
    const { stream, clock, boundary, errors } = openByHand();
    await stream.write(seconds(1));
    const ended = stream.end();
    ended.catch(() => undefined);
    await clock.advance(9_000);
    expect(errors).toEqual([]);
    await clock.advance(2_000);
    await expect(ended).rejects.toMatchObject({ code: "unavailable", retryable: true });
    expect(boundary()).toBeUndefined();
    expect(clock.pending()).toBe(0);
  });
});

describe("a Deepgram stream that comes no further", () => {
  it("fails, whatever else Deepgram says meanwhile", async () => {
    const { stream, say, clock, errors } = openByHand();
    await stream.write(seconds(4));
    for (let second = 0; second < 11; second++) {
      await clock.advance(1_000);
      say({ type: "Warning" });
      say({ type: "SpeechStarted", timestamp: 0.5 });
      say(results(0, 0.5, [], {}));
    }
    expect(errors).toEqual([]);
    await clock.advance(2_000);
    expect(errors).toMatchObject([{ code: "unavailable", retryable: true }]);
  });

  it("goes on as long as it comes a little further", async () => {
    const { stream, say, clock, errors } = openByHand();
    void stream.write(seconds(60)).catch(() => undefined);
    for (let heard = 0; heard < 6; heard++) {
      await clock.advance(10_000);
      say(results(heard, heard + 1, []));
    }
    expect(errors).toEqual([]);
    stream.abort();
  });

  it("has its time from when it owes something, not from before a pause", async () => {
    const { stream, say, clock, errors } = openByHand();
    await stream.write(seconds(2));
    say(results(0, 1, []));
    await clock.advance(60_000);
    await stream.write(seconds(3));
    await clock.advance(11_000);
    expect(errors).toEqual([]);
    await clock.advance(2_000);
    expect(errors).toMatchObject([{ code: "unavailable", retryable: true }]);
  });
});
