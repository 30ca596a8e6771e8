/** The server as its own process, with the real engine and real speech. */
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { promisify } from "node:util";
import { createClient } from "@connectrpc/connect";
import { createConnectTransport, createGrpcWebTransport } from "@connectrpc/connect-node";
import { status as Status } from "@grpc/grpc-js";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { TokenService } from "../../gen/ts/parley/token/v1/token_pb.ts";
import {
  SessionEndReason,
  TranscriptFormat,
  TranscriptionService,
} from "../../gen/ts/parley/transcription/v1/transcription_pb.ts";
import { joinClips, readClips } from "../bench/recordings.ts";
import { scoreWords } from "../bench/word-error.ts";
import { startTcpProxy } from "../fakes/tcp-proxy.ts";
import { describePostgres } from "../storage/databases.ts";
import { modelsMissing } from "./models.ts";
import { audio, config, openRawStream } from "./raw-stream.ts";
import type { RawStream } from "./raw-stream.ts";
import { memoryMb, processTree, startServerProcess } from "./server-process.ts";
import type { ServerProcess } from "./server-process.ts";
import { mintTranscriptionToken, speak, transportTo } from "./speech-client.ts";

const root = join(import.meta.dirname, "../..");
const buf = join(root, "node_modules/.bin/buf");
const run = promisify(execFile);
const clips = readClips();
const joined = joinClips(clips, 1_000);
const maxWordErrorRate = 0.08;
const title = (name: string) =>
  modelsMissing === undefined ? name : `${name} (skipped: no speech models: ${modelsMissing})`;

/** Sends samples from `from` on, in pieces of 100 ms; returns where it stopped. */
function sendAll(stream: RawStream, samples: Int16Array, from = 0, to = samples.length): number {
  for (let at = from; at < to; at += 1600)
    stream.send(audio(at, samples.subarray(at, Math.min(at + 1600, to))));
  return to;
}

describe.skipIf(modelsMissing !== undefined)(title("the server on real speech"), () => {
  let server: ServerProcess;
  beforeAll(async () => {
    server = await startServerProcess();
  });
  afterAll(() => server.stop());

  test("recognises each recording with few errors and honest times, and acknowledges all of it", async () => {
    const scores = [];
    for (const clip of clips) {
      const { summary, acknowledged } = await speak({ ...server, samples: clip.samples });
      expect(acknowledged).toBe(clip.samples.length);
      scores.push(scoreWords(summary.words, clip.words));
    }
    const said = scores.reduce((sum, score) => sum + score.referenceWords, 0);
    const wrong = scores.reduce(
      (sum, score) => sum + score.substitutions + score.insertions + score.deletions,
      0,
    );
    expect(wrong / said).toBeLessThanOrEqual(maxWordErrorRate);
    const starts = scores.flatMap((score) => score.startErrorsMs.map(Math.abs)).sort((a, b) => a - b);
    expect(starts[Math.floor(starts.length * 0.5)]).toBeLessThanOrEqual(120);
    expect(starts[Math.floor(starts.length * 0.95)]).toBeLessThanOrEqual(350);
  });

  test("makes no words of silence and of noise", async () => {
    const seconds = 12;
    const silence = new Int16Array(16_000 * seconds);
    let seed = 1;
    const noise = silence.map(() => {
      seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31; // any noise will do, but always the same
      return ((seed / 2 ** 31) * 2 - 1) * 8_000;
    });
    for (const samples of [silence, noise]) {
      const { summary, acknowledged } = await speak({ ...server, samples });
      expect(summary.transcript).toBe("");
      expect(acknowledged).toBe(samples.length);
    }
  });

  test("goes on when its engine process is killed, and the words are the same", async () => {
    const token = await mintTranscriptionToken(server.url, server.apiKey);
    const stream = openRawStream(server.url, token);
    stream.send(config);
    const half = sendAll(stream, joined.samples, 0, Math.floor(joined.samples.length / 3200) * 1600);
    await stream.next("transcript", (event) => event.isFinal);
    for (const pid of processTree(server.pid)) if (pid !== server.pid) process.kill(pid, "SIGKILL");
    await stream.next("warning");
    sendAll(stream, joined.samples, half);
    stream.close();
    expect((await stream.status).code).toBe(Status.OK);
    const last = stream.events.at(-1)?.event;
    if (last?.case !== "sessionSummary") throw new Error("no summary");
    expect(scoreWords(last.value.words, joined.words).rate).toBeLessThanOrEqual(maxWordErrorRate);
    const finals = stream.events.flatMap(({ event }) =>
      event.case === "transcript" && event.value.isFinal ? [event.value.segmentIndex] : [],
    );
    expect(new Set(finals).size).toBe(finals.length);
  });

  test("tells a client that sends a message over the limit what is wrong, also while the engine still works", async () => {
    const token = await mintTranscriptionToken(server.url, server.apiKey);
    for (const bytes of [70_000, 200_000, 1_000_000]) {
      const stream = openRawStream(server.url, token);
      stream.send(config);
      sendAll(stream, clips[1]!.samples);
      stream.send(audio(clips[1]!.samples.length, new Uint8Array(bytes)));
      const { code, details } = await stream.status;
      expect(details).toMatch(/64 KiB|at most 65536/);
      expect(code).toBe(Status.INVALID_ARGUMENT);
    }
  });

  test("exports what was said in every format", async () => {
    const { summary } = await speak({ ...server, samples: clips[1]!.samples });
    const client = createClient(TranscriptionService, transportTo(server.url, server.apiKey));
    const exported = async (format: TranscriptFormat) =>
      (await client.exportTranscript({ sessionId: summary.sessionId, format })).content;
    expect(await exported(TranscriptFormat.VTT)).toMatch(
      /^WEBVTT\n\n[^]*00:00:0\d\.\d{3} --> 00:00:0\d\.\d{3}/,
    );
    expect(await exported(TranscriptFormat.SRT)).toMatch(/^1\n00:00:0\d,\d{3} --> 00:00:0\d,\d{3}\n/);
    expect((await exported(TranscriptFormat.TXT)).trim()).toContain(summary.transcript);
    expect(JSON.parse(await exported(TranscriptFormat.JSON))).toMatchObject({
      transcript: summary.transcript,
    });
  });

  test("three hours of audio leave its memory flat", { timeout: 600_000 }, async () => {
    // Speech every minute; the rest is silence, which costs a process as much memory as speech does.
    const minute = new Int16Array(16_000 * 60);
    minute.set(clips[4]!.samples, 16_000);
    const token = await mintTranscriptionToken(server.url, server.apiKey);
    const stream = openRawStream(server.url, token);
    stream.send(config);
    const sizes: number[] = [];
    for (let minutes = 0; minutes < 180; minutes++) {
      for (let at = 0; at < minute.length; at += 16_000) {
        const piece = minute.subarray(at, at + 16_000);
        if (!stream.call.write(audio(minutes * minute.length + at, piece))) await once(stream.call, "drain");
      }
      // What is silent is acknowledged a little later, once it can no longer be the beginning of a word.
      const through = BigInt((minutes + 1) * minute.length - 16_000 * 5);
      await stream.next("audioAck", (ack) => ack.throughSample >= through);
      stream.events.length = 0;
      sizes.push(memoryMb(processTree(server.pid)).rss);
    }
    stream.close();
    expect((await stream.status).code).toBe(Status.OK);
    const early = Math.max(...sizes.slice(20, 60));
    expect(Math.max(...sizes.slice(60))).toBeLessThan(early + 60);
  });
});

describe.skipIf(modelsMissing !== undefined)(title("clients that nobody here wrote"), () => {
  let server: ServerProcess;
  beforeAll(async () => {
    server = await startServerProcess();
  });
  afterAll(() => server.stop());

  const curl = (method: string, input: string, credential = server.apiKey) => {
    const child = spawn(buf, [
      "curl",
      "--http2-prior-knowledge",
      "--header",
      `authorization: Bearer ${credential}`,
      "--data",
      "@-",
      `${server.url}/${method}`,
    ]);
    let output = "";
    child.stdout.on("data", (bytes: Buffer) => (output += bytes.toString()));
    child.stderr.on("data", (bytes: Buffer) => (output += bytes.toString()));
    child.stdin.end(input);
    return new Promise<string>((resolve) => child.once("close", () => resolve(output)));
  };

  test("buf curl finds the services by reflection", async () => {
    const { stdout } = await run(buf, ["curl", "--http2-prior-knowledge", "--list-services", server.url]);
    expect(stdout.trim().split("\n")).toEqual(
      expect.arrayContaining([
        "parley.token.v1.TokenService",
        "parley.transcription.v1.TranscriptionService",
        "parley.analysis.v1.AnalysisService",
      ]),
    );
  });

  test("buf curl mints a token and streams audio with it", async () => {
    const minted = JSON.parse(
      await curl("parley.token.v1.TokenService/CreateSessionTokens", `{"participantIdentity":"ann"}`),
    ) as {
      transcriptionToken: string;
    };
    const [clip] = clips;
    const messages = [`{"config":{"encoding":"AUDIO_ENCODING_LINEAR16","sampleRateHz":16000}}`];
    for (let at = 0; at < clip!.samples.length; at += 16_000) {
      const piece = clip!.samples.subarray(at, at + 16_000);
      const data = Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength).toString("base64");
      messages.push(`{"audio":{"firstSample":"${at}","data":"${data}"}}`);
    }
    const output = await curl(
      "parley.transcription.v1.TranscriptionService/Transcribe",
      messages.join("\n"),
      minted.transcriptionToken,
    );
    expect(output).toMatch(/"sessionSummary"/);
    expect(output).toMatch(/"transcript": "And Mr\. John Dashwood/);
  });

  test.each([
    ["Connect over HTTP/1.1", (baseUrl: string) => createConnectTransport({ baseUrl, httpVersion: "1.1" })],
    ["Connect over HTTP/2", (baseUrl: string) => createConnectTransport({ baseUrl, httpVersion: "2" })],
    ["gRPC-web over HTTP/1.1", (baseUrl: string) => createGrpcWebTransport({ baseUrl, httpVersion: "1.1" })],
  ])("%s mints, and is told what is wrong", async (_, makeTransport) => {
    const client = createClient(TokenService, makeTransport(server.url));
    const headers = { authorization: `Bearer ${server.apiKey}` };
    const { transcriptionToken } = await client.createSessionTokens(
      { participantIdentity: "ann" },
      { headers },
    );
    expect(transcriptionToken.split(".")).toHaveLength(3);
    await expect(client.createSessionTokens({ roomName: "*" }, { headers })).rejects.toMatchObject({
      rawMessage: expect.stringContaining("room_name") as string,
    });
  });

  test("fetch with JSON mints", async () => {
    const answer = await fetch(`${server.url}/parley.token.v1.TokenService/CreateSessionTokens`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${server.apiKey}` },
      body: JSON.stringify({ participant_identity: "ann" }),
    });
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({ participantIdentity: "ann", transcriptionUrl: server.url });
  });
});

describe.skipIf(modelsMissing !== undefined)(title("a server that is stopped, killed or not alone"), () => {
  test("SIGTERM warns the stream, brings its words in safety, and the next start has them", async () => {
    const server = await startServerProcess();
    const stream = openRawStream(server.url, await mintTranscriptionToken(server.url, server.apiKey));
    stream.send(config);
    const { sessionId } = await stream.next("sessionStarted");
    sendAll(stream, clips[1]!.samples);
    await stream.next("transcript");
    server.kill("SIGTERM");
    await stream.next("warning");
    expect((await stream.status).code).toBe(Status.UNAVAILABLE);
    expect(await server.exited).toBe(0);

    const next = await startServerProcess({ dataDir: server.dataDir });
    const client = createClient(TranscriptionService, transportTo(next.url, next.apiKey));
    const { session, summary } = await client.getSession({ sessionId });
    expect(session?.endReason).toBe(SessionEndReason.SERVER_STOPPED);
    expect(scoreWords(summary!.words, clips[1]!.words).rate).toBeLessThanOrEqual(0.15); // the last word may be cut
    await next.stop();
  });

  test("kill -9 loses no word that was acknowledged", async () => {
    const server = await startServerProcess();
    const stream = openRawStream(server.url, await mintTranscriptionToken(server.url, server.apiKey));
    stream.send(config);
    const { sessionId } = await stream.next("sessionStarted");
    sendAll(stream, joined.samples);
    const firstEndMs = 1_000 + clips[0]!.words.at(-1)!.endMs;
    const ack = await stream.next("audioAck", ({ throughMs }) => throughMs >= firstEndMs);
    server.kill("SIGKILL");
    await server.exited;

    const next = await startServerProcess({ dataDir: server.dataDir });
    const client = createClient(TranscriptionService, transportTo(next.url, next.apiKey));
    const { session, summary } = await client.getSession({ sessionId });
    expect(session?.committedThroughSample).toBeGreaterThanOrEqual(ack.throughSample);
    const acknowledged = joined.words.filter((word) => word.endMs <= ack.throughMs);
    const kept = summary!.words.filter((word) => word.startMs <= acknowledged.at(-1)!.endMs);
    expect(scoreWords(kept, acknowledged).deletions).toBe(0);
    await next.stop();
  });

  test("a second one on the same folder says who holds it, and ends", async () => {
    const server = await startServerProcess();
    const second = spawn(process.execPath, [join(root, "src/start.ts")], {
      env: { ...process.env, PORT: "0", DATA_DIR: server.dataDir },
    });
    let said = "";
    second.stderr.on("data", (bytes: Buffer) => (said += bytes.toString()));
    const [code] = (await once(second, "close")) as [number];
    expect(code).toBe(1);
    expect(said).toContain(server.dataDir);
    expect(said).toContain(String(server.pid));
    await server.stop();
  });

  test("a wrong configuration ends it with every wrong variable by name, and no secret", async () => {
    const env = {
      ...process.env,
      PORT: "http",
      JWT_SECRET: "short-secret",
      LIVEKIT_URL: "ws://localhost:7880",
    };
    const child = spawn(process.execPath, [join(root, "src/start.ts")], { env });
    let said = "";
    child.stderr.on("data", (bytes: Buffer) => (said += bytes.toString()));
    const [code] = (await once(child, "close")) as [number];
    expect(code).toBe(1);
    for (const name of ["PORT", "JWT_SECRET", "LIVEKIT_API_KEY", "LIVEKIT_API_SECRET"])
      expect(said).toContain(`${name}: expected`);
    expect(said).not.toContain("short-secret");
  });
});

describePostgres("on PostgreSQL that goes away for ten seconds", (databaseUrl) => {
  test.skipIf(modelsMissing !== undefined)(
    title("acknowledgements wait, and nothing is lost"),
    { timeout: 120_000 },
    async () => {
      const target = new URL(databaseUrl());
      const proxy = await startTcpProxy({ host: target.hostname, port: Number(target.port || 5432) });
      const through = new URL(target);
      through.hostname = "127.0.0.1";
      through.port = String(proxy.port);
      const server = await startServerProcess({ env: { DATABASE_URL: through.href } });
      const stream = openRawStream(server.url, await mintTranscriptionToken(server.url, server.apiKey));
      stream.send(config);
      await stream.next("sessionStarted");
      sendAll(stream, joined.samples, 0, 16_000);

      await proxy.refuse();
      const eventsBefore = stream.events.length;
      sendAll(stream, joined.samples, 16_000);
      await stream.next("warning");
      await new Promise((resolve) => setTimeout(resolve, 10_000)); // the outage itself
      const during = stream.events.slice(eventsBefore).map(({ event }) => event);
      expect(during.filter((event) => event.case === "transcript" && event.value.isFinal)).toEqual([]);
      await proxy.resume();

      stream.close();
      expect((await stream.status).code).toBe(Status.OK);
      const last = stream.events.at(-1)?.event;
      if (last?.case !== "sessionSummary") throw new Error("no summary");
      expect(scoreWords(last.value.words, joined.words).rate).toBeLessThanOrEqual(maxWordErrorRate);
      await server.stop();
      await proxy.close();
    },
  );
});
