/** A service that has one RPC of each kind, over strings, described without a proto file; and a client of it. */
import { create, createFileRegistry } from "@bufbuild/protobuf";
import type { DescService } from "@bufbuild/protobuf";
import {
  FileDescriptorSetSchema,
  StringValueSchema,
  file_google_protobuf_wrappers,
} from "@bufbuild/protobuf/wkt";
import { createClient } from "@connectrpc/connect";
import type { CallOptions, Transport } from "@connectrpc/connect";

export interface Text {
  readonly value: string;
}

export interface KindsClient {
  unary(request: Text, options?: CallOptions): Promise<Text>;
  server(request: Text, options?: CallOptions): AsyncIterable<Text>;
  client(requests: AsyncIterable<Text>, options?: CallOptions): Promise<Text>;
  bidi(requests: AsyncIterable<Text>, options?: CallOptions): AsyncIterable<Text>;
}

export const kindsService = describeService();

export function kindsClient(transport: Transport): KindsClient {
  return createClient(kindsService, transport) as unknown as KindsClient;
}

/** Gives each value when it is asked for. */
export async function* texts(...values: string[]): AsyncGenerator<Text> {
  for (const value of values) yield { value };
}

function describeService(): DescService {
  const text = `.${StringValueSchema.typeName}`;
  const method = (name: string, clientStreaming: boolean, serverStreaming: boolean) => ({
    name,
    inputType: text,
    outputType: text,
    clientStreaming,
    serverStreaming,
  });
  const file = {
    name: "kinds.proto",
    package: "kinds.v1",
    syntax: "proto3",
    dependency: [file_google_protobuf_wrappers.proto.name],
    service: [
      {
        name: "KindsService",
        method: [
          method("Unary", false, false),
          method("Server", false, true),
          method("Client", true, false),
          method("Bidi", true, true),
        ],
      },
    ],
  };
  const set = create(FileDescriptorSetSchema, { file: [file_google_protobuf_wrappers.proto, file] });
  const service = createFileRegistry(set).getService("kinds.v1.KindsService");
  if (!service) throw new Error("the service is not described");
  return service;
}
