/**
 * Takes streams of audio messages and counts them, in a process of its own: a gateway, over HTTP/2 and over WebSockets, and
 * the bare library `ws` with the same decoding of each message. Tells its parent the ports.
 */
import type { AddressInfo } from "node:net";
import { fromBinary } from "@bufbuild/protobuf";
import { pino } from "pino";
import { WebSocketServer } from "ws";
import {
  TranscribeRequestSchema,
  TranscriptionService,
  type TranscribeRequest,
} from "../../gen/ts/parley/transcription/v1/transcription_pb.ts";
import { createGateway } from "../../src/gateway/create-gateway.ts";

/** The byte of grpc-websockets and the prefix of gRPC-web. */
const prefixBytes = 6;

const bare = new WebSocketServer({ port: 0, host: "127.0.0.1", perMessageDeflate: false });
bare.on("connection", (socket) => {
  socket.on("message", (data: Buffer) => {
    if (data.length === 1) socket.close(1000);
    else if (data[0] === 0) fromBinary(TranscribeRequestSchema, data.subarray(prefixBytes));
  });
});

const gateway = createGateway({
  routes(router) {
    router.service(TranscriptionService, {
      async *transcribe(requests: AsyncIterable<TranscribeRequest>) {
        let sequence = 0;
        for await (const _ of requests) sequence++;
        yield { sequence };
      },
    });
  },
  interceptors: [],
  health: () => ({ ready: true, dependencies: {} }),
  descriptors: [],
  allowedOrigins: [],
  log: pino({ level: "silent" }),
});
const { port } = await gateway.listen(0, "127.0.0.1");
process.send?.({ port, barePort: (bare.address() as AddressInfo).port });
process.once("disconnect", () => process.exit());
