/**
 * A gateway on a free port with a tiny TranscriptionService: ListSessions answers what it was asked for, Transcribe
 * counts messages, and special words make them fail, wait or flood.
 */
import { create } from "@bufbuild/protobuf";
import { Code, ConnectError, type HandlerContext } from "@connectrpc/connect";
import { pino } from "pino";
import { createGateway, type Gateway, type GatewayOptions } from "../../src/gateway/create-gateway.ts";
import { file_grpc_health_v1_health } from "../../gen/ts/grpc/health/v1/health_pb.ts";
import { file_grpc_reflection_v1_reflection } from "../../gen/ts/grpc/reflection/v1/reflection_pb.ts";
import {
  file_parley_transcription_v1_transcription,
  ListSessionsResponseSchema,
  TranscriptionService,
  type ListSessionsRequest,
  type TranscribeRequest,
} from "../../gen/ts/parley/transcription/v1/transcription_pb.ts";

export const listSessionsPath = "/parley.transcription.v1.TranscriptionService/ListSessions";
export const transcribePath = "/parley.transcription.v1.TranscriptionService/Transcribe";

export interface EchoGateway {
  gateway: Gateway;
  port: number;
  url: string;
  /** Log lines so far, parsed. */
  lines: Record<string, unknown>[];
  /** Resolves when a call with room_name "wait" has begun; `release` lets it answer. */
  waiting: Promise<void>;
  release: () => void;
  /** Responses that were given to "flood" streams. */
  flooded: () => number;
  close: () => Promise<void>;
}

export async function startEchoGateway(options: Partial<GatewayOptions> = {}): Promise<EchoGateway> {
  const lines: Record<string, unknown>[] = [];
  const log = pino(
    { level: "debug" },
    { write: (line: string) => void lines.push(JSON.parse(line) as never) },
  );
  const began = Promise.withResolvers<undefined>();
  const released = Promise.withResolvers<undefined>();
  let flooded = 0;
  const service = {
    async listSessions(request: ListSessionsRequest) {
      if (request.roomName === "wait") {
        began.resolve(undefined);
        await released.promise;
      }
      return create(ListSessionsResponseSchema, { nextPageToken: request.roomName });
    },
    async *transcribe(requests: AsyncIterable<TranscribeRequest>, context: HandlerContext) {
      let sequence = 0;
      for await (const request of requests) {
        if (request.message.case === "control")
          throw new ConnectError("no control here", Code.InvalidArgument);
        if (request.message.case === "config" && request.message.value.roomName === "wait")
          began.resolve(undefined);
        while (request.message.case === "config" && request.message.value.roomName === "flood") {
          if (context.signal.aborted) return;
          flooded++;
          yield {
            sequence: ++sequence,
            event: { case: "transcript" as const, value: { text: "x".repeat(4096) } },
          };
        }
        yield { sequence: ++sequence };
      }
    },
  };
  const gateway = createGateway({
    routes: (router) => {
      router.service(TranscriptionService, service);
    },
    interceptors: [],
    health: () => ({ ready: true, dependencies: { database: { ready: true, detail: "answers" } } }),
    descriptors: [
      file_parley_transcription_v1_transcription,
      file_grpc_health_v1_health,
      file_grpc_reflection_v1_reflection,
    ],
    allowedOrigins: ["https://app.example.org"],
    log,
    ...options,
  });
  const { port } = await gateway.listen(0, "127.0.0.1");
  return {
    gateway,
    port,
    url: `${options.tls === undefined ? "http" : "https"}://127.0.0.1:${port}`,
    lines,
    waiting: began.promise,
    release: () => {
      released.resolve(undefined);
    },
    flooded: () => flooded,
    close: () => gateway.stop({ graceMs: 0 }),
  };
}
