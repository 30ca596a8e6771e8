/**
 * The whole server with SPEECH_ENGINE=auto: a FAKE Deepgram, which hears marks, goes away in the middle of a session, and the
 * real offline engine, which hears speech, goes on with it.
 */
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { status as Status } from "@grpc/grpc-js";
import { pino } from "pino";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { WarningCode } from "../../gen/ts/parley/transcription/v1/transcription_pb.ts";
import { readConfig } from "../../src/config.ts";
import { startServer } from "../../src/main.ts";
import type { Server } from "../../src/main.ts";
import { readClips } from "../bench/recordings.ts";
import { quantile, scoreWords } from "../bench/word-error.ts";
import { startFakeDeepgram } from "../fakes/fake-deepgram.ts";
import type { FakeDeepgram } from "../fakes/fake-deepgram.ts";
import { markedAudio } from "../fakes/marker-engine.ts";
import { testModelDir } from "../transcription/engines/test-model-dir.ts";
import { modelsMissing } from "./models.ts";
import { audio, config, openRawStream } from "./raw-stream.ts";
import type { RawStream } from "./raw-stream.ts";
import { mintTranscriptionToken } from "./speech-client.ts";

const clip = readClips()[0]!;
const name =
  modelsMissing === undefined
    ? "SPEECH_ENGINE=auto"
    : `SPEECH_ENGINE=auto (skipped: no speech models: ${modelsMissing})`;

describe.skipIf(modelsMissing !== undefined)(name, () => {
  let deepgram: FakeDeepgram;
  let server: Server;
  let token: string;

  beforeAll(async () => {
    deepgram = await startFakeDeepgram();
    const env = {
      PORT: "0",
      HOST: "127.0.0.1",
      DATA_DIR: await mkdtemp(join(tmpdir(), "parley-test-")),
      DEEPGRAM_API_KEY: deepgram.apiKey,
      DEEPGRAM_URL: deepgram.url,
      MODEL_DIR: testModelDir(),
    };
    server = await startServer(readConfig(env), { log: pino({ level: "silent" }), throwAway: true });
    await server.engineReady;
    token = await mintTranscriptionToken(server.url, server.developmentApiKey ?? "");
  }, 60_000);
  afterAll(async () => {
    await server.stop(0);
    await deepgram.close();
  });

  const say = (stream: RawStream, firstSample: number, samples: Int16Array) => {
    for (let at = 0; at < samples.length; at += 1600)
      stream.send(audio(firstSample + at, samples.subarray(at, at + 1600)));
    return firstSample + samples.length;
  };

  test("hears with Deepgram (a fake), and with the offline engine once that is gone, on one clock", async () => {
    const stream = openRawStream(server.url, token);
    stream.send(config);
    expect(await stream.next("sessionStarted")).toMatchObject({
      engine: "deepgram",
      fillersDetectable: true,
    });
    const from = say(stream, 0, markedAudio([1, 2, 3, 0, 0, 0]));
    const final = await stream.next("transcript", ({ isFinal }) => isFinal);
    expect(final.text).toMatch(/w1/);
    await deepgram.close();
    const changed = stream.next("warning", ({ code }) => code === WarningCode.ENGINE_CHANGED);
    say(stream, from, clip.samples);
    expect((await changed).message).toContain('"offline"');
    stream.close();
    expect((await stream.status).code).toBe(Status.OK);
    const last = stream.events.at(-1)?.event;
    const summary = last?.case === "sessionSummary" ? last.value : undefined;
    expect(summary?.engine).toBe("deepgram+offline");
    expect(summary?.gaps).toEqual([]);
    const marks = summary?.words.slice(0, 3).map((word) => word.text);
    expect(marks).toEqual(["w1", "w2", "w3."]);
    const offsetMs = from / 16;
    const reference = clip.words.map((word) => ({
      ...word,
      startMs: word.startMs + offsetMs,
      endMs: word.endMs + offsetMs,
    }));
    const { rate, startErrorsMs } = scoreWords(summary?.words.slice(3) ?? [], reference);
    expect(rate).toBeLessThanOrEqual(0.08);
    expect(quantile(startErrorsMs.map(Math.abs), 0.5)).toBeLessThanOrEqual(120);

    const next = openRawStream(server.url, token);
    next.send(config);
    expect(await next.next("sessionStarted")).toMatchObject({ engine: "offline" });
    next.close();
    await next.status;
  }, 60_000);
});
