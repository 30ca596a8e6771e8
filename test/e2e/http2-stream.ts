/** A Transcribe stream over bare `node:http2`, which shows what flow control shows: what was taken, and what was not read. */
import { connect } from "node:http2";
import type { ClientHttp2Stream, IncomingHttpHeaders } from "node:http2";
import { create, toBinary } from "@bufbuild/protobuf";
import { TranscribeRequestSchema } from "../../gen/ts/parley/transcription/v1/transcription_pb.ts";
import type { RequestMessage } from "./raw-stream.ts";

export interface Http2Stream {
  readonly stream: ClientHttp2Stream;
  /** Writes as fast as flow control lets it. */
  send(message: RequestMessage): void;
  /** As send, but these bytes. */
  write(bytes: Uint8Array): void;
  /** Half-closes, after everything was sent. */
  end(): void;
  /** Bytes that the server's flow control has let through. */
  taken(): number;
  /** Bytes that were to be sent. */
  sent(): number;
  /** How the call ended. Comes when everything before it was read. */
  readonly status: Promise<{ readonly code: number; readonly message: string }>;
}

export function openHttp2Stream(url: string, token: string): Http2Stream {
  const session = connect(url);
  session.on("error", () => undefined);
  const stream = session.request({
    ":method": "POST",
    ":path": "/parley.transcription.v1.TranscriptionService/Transcribe",
    "content-type": "application/grpc",
    te: "trailers",
    authorization: `Bearer ${token}`,
  });
  stream.on("error", () => undefined);
  stream.on("close", () => session.close());
  const status = new Promise<{ code: number; message: string }>((resolve) => {
    const look = (headers: IncomingHttpHeaders) => {
      if (headers["grpc-status"] === undefined) return;
      const message = decodeURIComponent([headers["grpc-message"] ?? ""].flat().join());
      resolve({ code: Number(headers["grpc-status"]), message });
    };
    stream.on("response", look);
    stream.on("trailers", look);
  });
  let sent = 0;
  let taken = 0;
  let isWriting = false;
  let isEnding = false;
  const queue: Uint8Array[] = [];
  /** One by one: what Node writes together it also reports together, when the last of it is gone. */
  const pump = () => {
    if (isWriting) return;
    const bytes = queue.shift();
    if (!bytes) {
      if (isEnding) stream.end();
      return;
    }
    isWriting = true;
    stream.write(bytes, (error) => {
      isWriting = false;
      if (error) return;
      taken += bytes.length;
      pump();
    });
  };
  const write = (bytes: Uint8Array) => {
    sent += bytes.length;
    queue.push(bytes);
    pump();
  };
  return {
    stream,
    status,
    write,
    send: (message) => write(frameOf(message)),
    end() {
      isEnding = true;
      pump();
    },
    sent: () => sent,
    taken: () => taken,
  };
}

/** With gRPC's prefix: not compressed, and the length. */
export function frameOf(message: RequestMessage): Buffer {
  const body = toBinary(TranscribeRequestSchema, create(TranscribeRequestSchema, message));
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(body.length, 1);
  return Buffer.concat([prefix, body]);
}
