/** The client of src/client against the whole server, through connections that are cut, dead, or gone with their server. */
import { createGrpcTransport } from "@connectrpc/connect-node";
import { mkdtemp } from "node:fs/promises";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { describe, expect, onTestFinished, test } from "vitest";
import { AudioEncoding } from "../../gen/ts/parley/transcription/v1/transcription_pb.ts";
import type { TranscriptionTiming } from "../../src/client/index.ts";
import { readConfig } from "../../src/config.ts";
import { startServer } from "../../src/main.ts";
import { watch } from "../client/transcription-bench.ts";
import type { Watched } from "../client/transcription-bench.ts";
import { createMarkerEngine, markedAudio } from "../fakes/marker-engine.ts";
import { startTcpProxy } from "../fakes/tcp-proxy.ts";
import { mintTranscriptionToken } from "./speech-client.ts";
import { jwtSecret, startTestServer } from "./start-test-server.ts";

/** Utterances of two words, a second and a half apart. */
const marks = Array.from({ length: 28 }, (_, index) => (index % 4 < 2 ? index + 1 : 0));
const spoken = markedAudio(marks);
const words = marks.filter((mark) => mark > 0).map((mark) => `w${mark}`);

function open(url: string, token: string, timing: Partial<TranscriptionTiming> = {}): Watched {
  return watch({
    transport: () => createGrpcTransport({ baseUrl: url }),
    token,
    config: { encoding: AudioEncoding.LINEAR16, sampleRateHz: 16_000 },
    timing,
  });
}

/** Writes 100 ms at a time, as fast as it is taken; `onWritten` may stumble in between. */
async function speakAll(
  { transcription }: Watched,
  onWritten: (ms: number) => void | Promise<void> = () => undefined,
): Promise<void> {
  for (let at = 0; at < spoken.length; at += 1600) {
    const piece = spoken.subarray(at, at + 1600);
    await transcription.write(new Uint8Array(piece.buffer, piece.byteOffset, piece.byteLength));
    await onWritten((at + piece.length) / 16);
  }
  transcription.end();
}

/** Every word is in the summary, and reached the app as a final, once and on the session clock. */
function expectWhole({ events }: Watched): void {
  const finals = events.flatMap(({ case: kind, value }) =>
    kind === "transcript" && value.isFinal ? [value] : [],
  );
  const heard = finals.flatMap((final) => final.words);
  expect(heard.map(({ text }) => text)).toEqual(words);
  expect(heard.map(({ startMs }) => startMs)).toEqual(
    marks.flatMap((mark, index) => (mark > 0 ? [index * 400] : [])),
  );
  const last = events.at(-1)!;
  expect(last.case === "sessionSummary" && last.value.transcript).toBe(words.join(" "));
  expect(last.case === "sessionSummary" && last.value.gaps).toEqual([]);
  expect(events.filter((event) => event.case === "sessionStarted")).toHaveLength(1);
}

describe("a transcription survives", () => {
  test("a connection that is cut again and again", async () => {
    const server = await startTestServer();
    onTestFinished(() => server.stop(0));
    const proxy = await startTcpProxy({ host: "127.0.0.1", port: Number(new URL(server.url).port) });
    onTestFinished(() => proxy.close());
    const watched = open(
      `http://127.0.0.1:${proxy.port}`,
      await mintTranscriptionToken(server.url, server.apiKey),
    );
    const live = () => watched.until(() => watched.transcription.state === "live");
    await speakAll(watched, async (ms) => {
      if (ms % 3100 !== 0) return;
      await live();
      proxy.cut();
    });
    expect(await watched.outcome).toBeUndefined();
    expect(watched.states.filter(([state]) => state === "reconnecting").length).toBeGreaterThanOrEqual(3);
    expectWhole(watched);
  });

  test("a connection that is open and dead", async () => {
    const server = await startTestServer();
    onTestFinished(() => server.stop(0));
    const proxy = await startTcpProxy({ host: "127.0.0.1", port: Number(new URL(server.url).port) });
    onTestFinished(() => proxy.close());
    const timing = { heartbeatMs: 300, deadAfterMs: 4000 };
    const token = await mintTranscriptionToken(server.url, server.apiKey);
    const watched = open(`http://127.0.0.1:${proxy.port}`, token, timing);
    await speakAll(watched, async (ms) => {
      if (ms !== 5000) return;
      await watched.until(() => watched.events.some((event) => event.case === "audioAck"));
      proxy.freeze();
    });
    expect(await watched.outcome).toBeUndefined();
    expect(watched.states.map(([state, reason]) => reason?.message ?? state)).toContain(
      "the server has not been heard for too long",
    );
    expectWhole(watched);
  });

  test("a restart of its server", async () => {
    const dataDir = await mkdtemp(join(tmpdir(), "parley-test-"));
    const port = await freePort();
    const start = () =>
      startServer(
        readConfig({ PORT: String(port), HOST: "127.0.0.1", DATA_DIR: dataDir, JWT_SECRET: jwtSecret }),
        { log: pino({ level: "silent" }), engine: createMarkerEngine() },
      );
    let server = await start();
    onTestFinished(() => server.stop(0));
    const watched = open(server.url, await mintTranscriptionToken(server.url, server.developmentApiKey!));
    await speakAll(watched, async (ms) => {
      if (ms !== 6000) return;
      await watched.until(() => watched.events.some((event) => event.case === "audioAck"));
      await server.stop(4000);
      server = await start();
    });
    expect(await watched.outcome).toBeUndefined();
    expect(watched.states.map(([state]) => state)).toContain("reconnecting");
    expectWhole(watched);
  });
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
