/** A Transcribe stream over `@grpc/grpc-js`, a client that knows nothing of Connect: sends what a test says, right or wrong. */
import { fromBinary, toBinary, create } from "@bufbuild/protobuf";
import type { MessageInitShape } from "@bufbuild/protobuf";
import * as grpc from "@grpc/grpc-js";
import {
  AudioEncoding,
  TranscribeRequestSchema,
  TranscribeResponseSchema,
} from "../../gen/ts/parley/transcription/v1/transcription_pb.ts";
import type { TranscribeResponse } from "../../gen/ts/parley/transcription/v1/transcription_pb.ts";

export interface RawStream {
  readonly call: grpc.ClientDuplexStream<RequestMessage, TranscribeResponse>;
  readonly events: TranscribeResponse[];
  /** How the call ended. */
  readonly status: Promise<grpc.StatusObject>;
  send(message: RequestMessage): void;
  /** Resolves with the first event of this kind that has come or comes; rejects when the call ends without one. */
  next<C extends EventCase>(kind: C, matches?: (event: EventOf<C>) => boolean): Promise<EventOf<C>>;
  close(): void;
}

export type RequestMessage = MessageInitShape<typeof TranscribeRequestSchema>;
type Event = TranscribeResponse["event"];
type EventCase = NonNullable<Event["case"]>;
type EventOf<C extends EventCase> = Extract<Event, { case: C }>["value"];

export function openRawStream(url: string, token?: string): RawStream {
  const client = new grpc.Client(new URL(url).host, grpc.credentials.createInsecure());
  const metadata = new grpc.Metadata();
  if (token !== undefined) metadata.set("authorization", `Bearer ${token}`);
  const call = client.makeBidiStreamRequest<RequestMessage, TranscribeResponse>(
    "/parley.transcription.v1.TranscriptionService/Transcribe",
    (message) => Buffer.from(toBinary(TranscribeRequestSchema, create(TranscribeRequestSchema, message))),
    (bytes) => fromBinary(TranscribeResponseSchema, bytes),
    metadata,
  );
  const events: TranscribeResponse[] = [];
  const waiting = new Set<() => void>();
  let isOver = false;
  const wake = () => {
    for (const look of [...waiting]) look();
  };
  call.on("data", (event: TranscribeResponse) => {
    events.push(event);
    wake();
  });
  call.on("error", () => undefined); // the status says the same
  const status = new Promise<grpc.StatusObject>((resolve) => {
    call.on("status", (ended: grpc.StatusObject) => {
      isOver = true;
      resolve(ended);
      wake();
      client.close();
    });
  });
  return {
    call,
    events,
    status,
    send: (message) => call.write(message),
    next: (kind, matches = () => true) =>
      new Promise((resolve, reject) => {
        const look = () => {
          const found = events.find(({ event }) => event.case === kind && matches(event.value as never));
          if (found) resolve(found.event.value as never);
          else if (isOver) reject(new Error(`the call ended without ${kind}`));
          else return;
          waiting.delete(look);
        };
        waiting.add(look);
        look();
      }),
    close: () => call.end(),
  };
}

export const config: RequestMessage = {
  message: { case: "config", value: { encoding: AudioEncoding.LINEAR16, sampleRateHz: 16_000 } },
};

export function audio(firstSample: number, samples: Int16Array | Uint8Array): RequestMessage {
  const data = new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength);
  return { message: { case: "audio", value: { firstSample: BigInt(firstSample), data } } };
}
