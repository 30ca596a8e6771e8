/**
 * A service that no .proto file has, with `google.api.http` rules of the test's choice. Its messages have a field of each
 * kind: `test.v1.Scalars` what fits a query, `test.v1.Everything` the rest as well.
 */
import { create, createFileRegistry, setExtension } from "@bufbuild/protobuf";
import type { DescMethod, DescService, MessageInitShape } from "@bufbuild/protobuf";
import {
  FieldDescriptorProto_Label,
  FieldDescriptorProto_Type as Type,
  FieldDescriptorProtoSchema,
  FileDescriptorProtoSchema,
  MethodOptionsSchema,
  file_google_protobuf_struct,
  file_google_protobuf_timestamp,
} from "@bufbuild/protobuf/wkt";
import type { FieldDescriptorProto } from "@bufbuild/protobuf/wkt";
import { http } from "../../../gen/ts/google/api/annotations_pb.ts";
import { HttpRuleSchema } from "../../../gen/ts/google/api/http_pb.ts";

export type Rule = MessageInitShape<typeof HttpRuleSchema>;

export interface MadeRpc {
  /** Absent: none. */
  rule?: Rule;
  /** Default Scalars. */
  input?: "Scalars" | "Everything";
  /** Default Everything. */
  output?: "Scalars" | "Everything";
  streams?: "client" | "server";
}

/** The service `test.v1.Things`. */
export function makeService(rpcs: Readonly<Record<string, MadeRpc>>): DescService {
  const proto = create(FileDescriptorProtoSchema, {
    name: "test/v1/things.proto",
    package: "test.v1",
    syntax: "proto3",
    dependency: ["google/protobuf/struct.proto", "google/protobuf/timestamp.proto"],
    enumType: [
      {
        name: "DeepColor",
        value: ["UNSPECIFIED", "RED", "DARK_BLUE"].map((name, number) => ({
          name: `DEEP_COLOR_${name}`,
          number,
        })),
      },
    ],
    messageType: [
      { name: "Scalars", field: scalarFields() },
      {
        name: "Everything",
        field: [
          ...scalarFields(),
          field("inner_thing", 20, { typeName: ".test.v1.Everything" }),
          field("more_things", 21, { typeName: ".test.v1.Everything", ...repeated }),
          field("color_names", 22, { typeName: ".test.v1.Everything.ColorNamesEntry", ...repeated }),
          field("inner", 25, { typeName: ".test.v1.Everything" }),
          field("items", 26, { typeName: ".test.v1.Everything", ...repeated }),
          field("document", 23, { typeName: ".google.protobuf.Struct" }),
          field("create_time", 24, { typeName: ".google.protobuf.Timestamp" }),
        ],
        nestedType: [
          {
            name: "ColorNamesEntry",
            options: { mapEntry: true },
            field: [field("key", 1, { type: Type.STRING }), field("value", 2, color)],
          },
        ],
      },
    ],
    service: [
      {
        name: "Things",
        method: Object.entries(rpcs).map(
          ([name, { rule, input = "Scalars", output = "Everything", streams }]) => ({
            name,
            inputType: `.test.v1.${input}`,
            outputType: `.test.v1.${output}`,
            clientStreaming: streams === "client",
            serverStreaming: streams === "server",
            ...(rule && { options: optionsWith(rule) }),
          }),
        ),
      },
    ],
  });
  const wellKnown = [file_google_protobuf_struct, file_google_protobuf_timestamp];
  const registry = createFileRegistry(proto, (name) => wellKnown.find((file) => file.proto.name === name));
  return registry.getService("test.v1.Things")!;
}

export function rpcOf(service: DescService, name: string): DescMethod {
  return service.methods.find((method) => method.name === name)!;
}

const repeated = { label: FieldDescriptorProto_Label.REPEATED };
const color = { type: Type.ENUM, typeName: ".test.v1.DeepColor" };

function scalarFields(): FieldDescriptorProto[] {
  return [
    field("display_name", 1, { type: Type.STRING }),
    field("item_count", 2, { type: Type.INT32 }),
    field("big_number", 3, { type: Type.INT64 }),
    field("weight", 4, { type: Type.DOUBLE }),
    field("is_ready", 5, { type: Type.BOOL }),
    field("raw_data", 6, { type: Type.BYTES }),
    field("color", 7, color),
    field("tag_names", 8, { type: Type.STRING, ...repeated }),
    field("other_colors", 9, { ...color, ...repeated }),
  ];
}

/** Of a message type, unless `type` says otherwise. */
function field(
  name: string,
  number: number,
  more: MessageInitShape<typeof FieldDescriptorProtoSchema>,
): FieldDescriptorProto {
  const jsonName = name.replaceAll(/_(.)/g, (_, letter: string) => letter.toUpperCase());
  return create(FieldDescriptorProtoSchema, {
    name,
    number,
    jsonName,
    type: Type.MESSAGE,
    label: FieldDescriptorProto_Label.OPTIONAL,
    ...more,
  });
}

function optionsWith(rule: Rule) {
  const options = create(MethodOptionsSchema);
  setExtension(options, http, create(HttpRuleSchema, rule));
  return options;
}
