/** What reflection answers to each question, in both versions. */
import { createClient, createRouterTransport } from "@connectrpc/connect";
import { fromBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { describe, expect, test } from "vitest";
import {
  ServerReflection as V1,
  type ServerReflectionRequest,
} from "../../../gen/ts/grpc/reflection/v1/reflection_pb.ts";
import { ServerReflection as V1Alpha } from "../../../gen/ts/grpc/reflection/v1alpha/reflection_pb.ts";
import { file_parley_transcription_v1_transcription } from "../../../gen/ts/parley/transcription/v1/transcription_pb.ts";
import { registerReflection } from "../../../src/gateway/reflection/reflection-service.ts";

type Question = ServerReflectionRequest["messageRequest"];
const transport = createRouterTransport((router) => {
  registerReflection(router, [file_parley_transcription_v1_transcription]);
});

describe.each([
  ["v1", V1],
  ["v1alpha", V1Alpha],
])("%s", (_version, service) => {
  const ask = async (...questions: Question[]) => {
    async function* requests() {
      for (const messageRequest of questions) yield { host: "h", messageRequest: messageRequest as never };
    }
    const answers = [];
    const client = createClient(service as typeof V1, transport);
    for await (const answer of client.serverReflectionInfo(requests())) answers.push(answer);
    return answers;
  };
  const filesOf = (answer: Awaited<ReturnType<typeof ask>>[number] | undefined) =>
    answer?.messageResponse.case === "fileDescriptorResponse"
      ? answer.messageResponse.value.fileDescriptorProto.map(
          (bytes) => fromBinary(FileDescriptorProtoSchema, bytes).name,
        )
      : answer?.messageResponse;
  const own = "parley/transcription/v1/transcription.proto";
  const p = "parley.transcription.v1";

  test("lists services and repeats the question", async () => {
    const [answer] = await ask({ case: "listServices", value: "" });
    expect(answer?.messageResponse).toMatchObject({
      value: { service: [{ name: `${p}.TranscriptionService` }] },
    });
    expect(answer?.originalRequest?.messageRequest.case).toBe("listServices");
    expect(answer?.validHost).toBe("h");
  });

  test.each([
    `${p}.TranscriptionService`,
    `${p}.TranscriptionService.Transcribe`,
    `${p}.TranscribeRequest`,
    `.${p}.TranscribeRequest`,
    `${p}.TranscribeRequest.audio`,
    `${p}.TranscribeRequest.message`,
    `${p}.AudioEncoding`,
    `${p}.AUDIO_ENCODING_OPUS`,
  ])("finds the file of %s, with what it imports before it", async (value) => {
    const [answer] = await ask({ case: "fileContainingSymbol", value });
    const files = filesOf(answer) as string[];
    expect(files.at(-1)).toBe(own);
    expect(files).toContain("google/protobuf/descriptor.proto");
    expect(files.indexOf("google/protobuf/descriptor.proto")).toBeLessThan(
      files.indexOf("buf/validate/validate.proto"),
    );
  });

  test("keeps the options that describe validation", async () => {
    const [answer] = await ask({ case: "fileByFilename", value: own });
    const bytes = answer?.messageResponse.case === "fileDescriptorResponse" && answer.messageResponse.value;
    const file = fromBinary(FileDescriptorProtoSchema, (bytes || undefined)!.fileDescriptorProto.at(-1)!);
    const field = file.messageType.find((type) => type.name === "AudioChunk")?.field[0];
    // buf.validate.field, as an extension that this runtime keeps without knowing it.
    expect(field?.options?.$unknown?.map(({ no }) => no)).toEqual([1159]);
  });

  test("sends an import once a stream, and what is asked for each time", async () => {
    const answers = await ask({ case: "fileByFilename", value: own }, { case: "fileByFilename", value: own });
    expect((filesOf(answers[0]) as string[]).length).toBeGreaterThan(3);
    expect(filesOf(answers[1])).toEqual([own]);
  });

  test("knows extensions", async () => {
    const extendee = "google.protobuf.FieldOptions";
    const answers = await ask(
      { case: "allExtensionNumbersOfType", value: extendee },
      {
        case: "fileContainingExtension",
        value: { containingType: extendee, extensionNumber: 1159 } as never,
      },
      { case: "allExtensionNumbersOfType", value: `${p}.AudioChunk` },
    );
    expect(answers[0]?.messageResponse.value).toMatchObject({ extensionNumber: [1159, 1160] });
    expect((filesOf(answers[1]) as string[]).at(-1)).toBe("buf/validate/validate.proto");
    expect(answers[2]?.messageResponse.value).toMatchObject({ extensionNumber: [] });
  });

  test("says NOT_FOUND for what is not there, and the stream goes on", async () => {
    const questions: Question[] = [
      { case: "fileByFilename", value: "no.proto" },
      { case: "fileContainingSymbol", value: "no.Such" },
      { case: "fileContainingExtension", value: { containingType: p, extensionNumber: 1 } as never },
      { case: "allExtensionNumbersOfType", value: "no.Such" },
    ];
    const answers = await ask(...questions, { case: undefined });
    expect(
      answers.map((answer) => (answer.messageResponse.value as { errorCode: number }).errorCode),
    ).toEqual([5, 5, 5, 5, 3]);
  });
});
