/** When a transcription asks for tokens, and what it does with them. */
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { Code } from "@connectrpc/connect";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { WarningCode } from "../../gen/ts/parley/transcription/v1/transcription_pb.ts";
import { settle } from "../fakes/manual-clock.ts";
import type { ScriptedStream } from "../fakes/scripted-transcription-server.ts";
import { samples, startBench } from "./transcription-bench.ts";
import type { Bench } from "./transcription-bench.ts";

let bench: Bench;
beforeEach(async () => {
  bench = await startBench();
});
afterEach(() => bench.close());

/** token() that counts, and fails when told. */
function tokens() {
  const state = { asked: 0, failing: false };
  const token = () => {
    state.asked += 1;
    return state.failing ? Promise.reject(new Error("offline")) : `token-${state.asked}`;
  };
  return { state, token };
}

const brought = (stream: ScriptedStream) =>
  stream.received.flatMap((message) =>
    message.case === "control" && message.value.action.case === "reauthenticate"
      ? [message.value.action.value.token]
      : [],
  );

/** Keeps a quiet stream alive while time passes. */
async function pass(stream: ScriptedStream, ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 3000) {
    stream.ack(0);
    await new Promise((resolve) => setTimeout(resolve, 1)); // a socket's turn
    await settle();
    await bench.clock.advance(Math.min(left, 3000));
  }
}

async function live(options: Parameters<Bench["open"]>[0], lifetimeMs: number, serverAheadMs = 0) {
  const watched = bench.open({ timing: { deadAfterMs: 1e9 }, ...options });
  const first = await bench.server.stream(0);
  const nowMs = bench.clock.now() + serverAheadMs;
  first.start({
    createTime: timestampFromMs(nowMs),
    tokenExpireTime: timestampFromMs(nowMs + lifetimeMs),
  });
  await watched.until(() => watched.transcription.state === "live");
  return { ...watched, first };
}

describe("a fresh token goes up", () => {
  test("a minute before the old one expires, and again a lifetime later", async () => {
    const { state, token } = tokens();
    const { first } = await live({ token }, 600_000);
    expect(first.authorization).toBe("Bearer token-1");
    await pass(first, 539_000);
    expect(state.asked).toBe(1);
    await pass(first, 1000);
    await first.until((stream) => brought(stream).length === 1);
    expect(brought(first)).toEqual(["token-2"]);
    await pass(first, 540_000);
    await first.until((stream) => brought(stream).length === 2);
    expect(state.asked).toBe(3);
  });

  test("at 80 % of a short lifetime", async () => {
    const { state, token } = tokens();
    const { first } = await live({ token }, 30_000);
    await pass(first, 23_999);
    expect(state.asked).toBe(1);
    await pass(first, 1);
    await first.until((stream) => brought(stream).length === 1);
  });

  test("by the server's clock, when this machine's is wrong", async () => {
    const { state, token } = tokens();
    const { first } = await live({ token }, 600_000, 7_200_000);
    await pass(first, 539_000);
    expect(state.asked).toBe(1);
    await pass(first, 1000);
    await first.until((stream) => brought(stream).length === 1);
  });

  test("when the server warns, and the app sees the warning", async () => {
    const { token } = tokens();
    const { first, events } = await live({ token }, 7_200_000);
    first.send({ case: "warning", value: { code: WarningCode.TOKEN_EXPIRING } });
    await first.until((stream) => brought(stream).length === 1);
    expect(events.at(-1)).toMatchObject({ case: "warning" });
  });

  test("as soon as token() works again: a failure harms nothing", async () => {
    const { state, token } = tokens();
    const { first, transcription } = await live({ token }, 600_000);
    state.failing = true;
    await pass(first, 541_000);
    expect(state.asked).toBe(2);
    state.failing = false;
    await pass(first, 5000);
    await first.until((stream) => brought(stream).length === 1);
    expect(brought(first)).toEqual(["token-3"]);
    expect(transcription.state).toBe("live");
  });

  test("never, when there is only one", async () => {
    const { first } = await live({ token: "only" }, 600_000);
    first.send({ case: "warning", value: { code: WarningCode.TOKEN_EXPIRING } });
    await pass(first, 600_000);
    expect(brought(first)).toEqual([]);
  });
});

test("an expired token is replaced, and the session goes on", async () => {
  const { token } = tokens();
  const { first, transcription, until } = await live({ token }, 600_000);
  void transcription.write(samples(0, 1600));
  await first.until(({ heard }) => heard?.to === 1600);
  first.fail(Code.Unauthenticated);
  const second = await bench.server.stream(1);
  expect(second.authorization).toBe("Bearer token-2");
  expect(second.config.resume?.sessionId).toBe("session-1");
  second.start();
  await until(() => transcription.state === "live");
});

test("a good token is used again by the next stream", async () => {
  const { state, token } = tokens();
  const { first } = await live({ token }, 600_000);
  first.fail(Code.Unavailable);
  expect((await bench.server.stream(1)).authorization).toBe("Bearer token-1");
  expect(state.asked).toBe(1);
});

test("tokens that are all refused end it, without being named", async () => {
  bench.server.onStream = (stream) => stream.fail(Code.Unauthenticated);
  const { token } = tokens();
  const error = await bench.open({ token }).outcome;
  expect(error).toMatchObject({ code: "unauthenticated" });
  expect(bench.server.streams.map(({ authorization }) => authorization?.slice(-1))).toEqual([
    "1",
    "2",
    "3",
    "4",
  ]);
  expect(String(error)).not.toMatch(/token-\d/);
});

test("token() that fails at the start is asked again", async () => {
  const { state, token } = tokens();
  state.failing = true;
  const { transcription } = bench.open({ token, random: () => 1 });
  await settle();
  expect(transcription.state).toBe("connecting");
  state.failing = false;
  await bench.clock.advance(250);
  expect((await bench.server.stream(0)).authorization).toBe("Bearer token-2");
});

test("token() that never answers is asked again after connectTimeoutMs", async () => {
  let asked = 0;
  const token = () => (++asked === 1 ? new Promise<string>(() => undefined) : "token-2");
  bench.open({ token });
  await bench.clock.advance(10_000);
  expect((await bench.server.stream(0)).authorization).toBe("Bearer token-2");
});
