/** The smallest clients: bytes over a socket, and gRPC through @grpc/grpc-js with the generated messages. */
import { connect, type Socket } from "node:net";
import * as grpc from "@grpc/grpc-js";
import { create, fromBinary, toBinary, type MessageInitShape } from "@bufbuild/protobuf";
import {
  ListSessionsRequestSchema,
  ListSessionsResponseSchema,
  TranscribeRequestSchema,
  TranscribeResponseSchema,
  type ListSessionsResponse,
  type TranscribeRequest,
  type TranscribeResponse,
} from "../../gen/ts/parley/transcription/v1/transcription_pb.ts";
import { listSessionsPath, transcribePath } from "./echo-gateway.ts";

/** Sends bytes and resolves with all that came back when the server has closed the connection. */
export function exchange(port: number, bytes: string | Buffer): Promise<string> {
  return new Promise((resolve) => {
    const socket = open(port);
    const chunks: Buffer[] = [];
    socket.on("data", (chunk: Buffer) => chunks.push(chunk));
    socket.on("close", () => {
      resolve(Buffer.concat(chunks).toString("latin1"));
    });
    socket.write(bytes);
  });
}

/** A connection whose errors are nobody's concern. */
export function open(port: number): Socket {
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  socket.on("error", () => undefined);
  return socket;
}

export function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    if (socket.closed) resolve();
    else socket.once("close", () => resolve());
  });
}

/** Resolves with what came so far, as soon as it holds `text`. */
export function received(socket: Socket, text: string): Promise<string> {
  return new Promise((resolve) => {
    let all = "";
    socket.on("data", (chunk: Buffer) => {
      all += chunk.toString("latin1");
      if (all.includes(text)) resolve(all);
    });
  });
}

export function grpcClient(
  port: number,
  credentials = grpc.credentials.createInsecure(),
  options = {},
): grpc.Client {
  return new grpc.Client(`127.0.0.1:${port}`, credentials, options);
}

export interface GrpcAnswer {
  response: ListSessionsResponse | undefined;
  status: grpc.StatusObject;
  headers: grpc.Metadata;
}

export function grpcList(
  client: grpc.Client,
  roomName: string,
  path = listSessionsPath,
): Promise<GrpcAnswer> {
  return new Promise((resolve) => {
    let response: ListSessionsResponse | undefined;
    let headers = new grpc.Metadata();
    const call = client.makeUnaryRequest(
      path,
      (message: Uint8Array) => Buffer.from(message),
      (bytes: Buffer) => fromBinary(ListSessionsResponseSchema, bytes),
      toBinary(ListSessionsRequestSchema, create(ListSessionsRequestSchema, { roomName })),
      (_error, value) => {
        response = value;
      },
    );
    call.on("metadata", (metadata: grpc.Metadata) => {
      headers = metadata;
    });
    call.on("status", (status) => {
      resolve({ response, status, headers });
    });
  });
}

export interface BidiAnswer {
  responses: TranscribeResponse[];
  status: grpc.StatusObject;
}

/** Opens Transcribe; `done` resolves with all responses and the status. */
export function grpcTranscribe(client: grpc.Client) {
  const call = client.makeBidiStreamRequest(
    transcribePath,
    (message: TranscribeRequest) => Buffer.from(toBinary(TranscribeRequestSchema, message)),
    (bytes: Buffer) => fromBinary(TranscribeResponseSchema, bytes),
    new grpc.Metadata(),
  );
  const responses: TranscribeResponse[] = [];
  call.on("data", (response: TranscribeResponse) => responses.push(response));
  call.on("error", () => undefined);
  const done = new Promise<BidiAnswer>((resolve) => {
    call.on("status", (status) => {
      resolve({ responses, status });
    });
  });
  return {
    call,
    done,
    responses,
    send: (message: MessageInitShape<typeof TranscribeRequestSchema>) =>
      call.write(create(TranscribeRequestSchema, message)),
  };
}

export function audio(byteLength: number): MessageInitShape<typeof TranscribeRequestSchema> {
  return { message: { case: "audio", value: { firstSample: 0n, data: new Uint8Array(byteLength) } } };
}
