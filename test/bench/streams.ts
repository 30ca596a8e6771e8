/**
 * `npm run bench -- streams`: what a message of audio costs the server on its way to a handler: over a WebSocket, over
 * HTTP/2, and over a bare WebSocket that is only decoded. Processor time of the server alone; the three take turns.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:http2";
import { availableParallelism, cpus } from "node:os";
import { join } from "node:path";
import { WebSocket } from "ws";
import { audio } from "../e2e/raw-stream.ts";
import { frameOf } from "../e2e/http2-stream.ts";
import { cpuMicrosecondsOf } from "./cpu-cost.ts";
import { row } from "./row.ts";
import { quantile } from "./word-error.ts";

/** 20 ms of 16-bit audio at 16 kHz. */
const samplesInMessage = 320;
const streams = 20;
const messagesInStream = 400;
const rounds = 7;
const path = "/parley.transcription.v1.TranscriptionService/Transcribe";

interface Stream {
  send(frame: Buffer): void;
  /** Resolves when the server has taken all of it. */
  end(): Promise<unknown>;
}

export async function benchStreams(): Promise<void> {
  row(
    "machine",
    `${cpus()[0]?.model ?? "?"}, ${availableParallelism()} cores, Node ${process.versions.node}`,
  );
  const child = fork(join(import.meta.dirname, "stream-server.ts"));
  const [{ port, barePort }] = (await once(child, "message")) as [{ port: number; barePort: number }];
  const ways = {
    "a bare WebSocket, decoded": () => openSocket(barePort),
    "grpc-websockets": () => openSocket(port),
    "gRPC over HTTP/2": () => openHttp2(port),
  };
  const costs = new Map(Object.keys(ways).map((name) => [name, [] as number[]]));
  for (let round = -1; round < rounds; round++) {
    for (const [name, open] of Object.entries(ways)) {
      const before = cpuMicrosecondsOf(child.pid!);
      await sendAll(open);
      const cost = (cpuMicrosecondsOf(child.pid!) - before) / (streams * messagesInStream);
      if (round >= 0) costs.get(name)?.push(cost); // the first is for warming up
    }
  }
  child.disconnect();
  const bare = quantile(costs.get("a bare WebSocket, decoded") ?? [], 0.5);
  for (const [name, found] of costs) {
    const median = quantile(found, 0.5);
    row(
      `${name}, a message of ${2 * samplesInMessage} bytes`,
      `${median.toFixed(1)} µs, ${(median / bare).toFixed(1)} times the bare one`,
    );
  }
}

/** Message by message on all streams in turn, as they come from as many speakers. */
async function sendAll(open: () => Promise<Stream>): Promise<void> {
  const opened = await Promise.all(Array.from({ length: streams }, open));
  const frames = Array.from({ length: messagesInStream }, (_, index) =>
    frameOf(audio(index * samplesInMessage, new Int16Array(samplesInMessage))),
  );
  for (const frame of frames) {
    for (const stream of opened) stream.send(frame);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await Promise.all(opened.map((stream) => stream.end()));
}

async function openSocket(port: number): Promise<Stream> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, ["grpc-websockets"]);
  await once(socket, "open");
  socket.send(Buffer.from("content-type: application/grpc-web+proto\r\n"));
  return {
    send: (frame) => socket.send(Buffer.concat([Buffer.of(0), frame])),
    end: () => {
      socket.send(Buffer.of(1));
      return once(socket, "close");
    },
  };
}

async function openHttp2(port: number): Promise<Stream> {
  const session = connect(`http://127.0.0.1:${port}`);
  const stream = session.request({
    ":method": "POST",
    ":path": path,
    "content-type": "application/grpc",
    te: "trailers",
  });
  stream.resume();
  await once(session, "connect");
  return {
    send: (frame) => stream.write(frame),
    end: async () => {
      stream.end();
      await once(stream, "close");
      session.close();
    },
  };
}
