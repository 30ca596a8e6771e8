/**
 * gRPC server reflection, v1 and v1alpha: the same protocol under two names, so one implementation. Lets `buf curl` and
 * `grpcurl` call without a schema. Open to anybody: the protos are public.
 */
import type { ConnectRouter } from "@connectrpc/connect";
import { Code } from "@connectrpc/connect";
import type { DescFile } from "@bufbuild/protobuf";
import {
  ServerReflection as ServerReflectionV1,
  type ServerReflectionRequest as RequestV1,
} from "../../../gen/ts/grpc/reflection/v1/reflection_pb.ts";
import {
  ServerReflection as ServerReflectionV1Alpha,
  type ServerReflectionRequest as RequestV1Alpha,
} from "../../../gen/ts/grpc/reflection/v1alpha/reflection_pb.ts";
import { createFileIndex, type FileIndex } from "./file-index.ts";

export function registerReflection(router: ConnectRouter, files: readonly DescFile[]): void {
  const index = createFileIndex(files);
  router.service(ServerReflectionV1, { serverReflectionInfo: (requests) => answerAll(index, requests) });
  router.service(ServerReflectionV1Alpha, { serverReflectionInfo: (requests) => answerAll(index, requests) });
}

/** One answer for each question; a file that was sent on this stream is not sent again as an import. */
async function* answerAll<R extends RequestV1 | RequestV1Alpha>(
  index: FileIndex,
  requests: AsyncIterable<R>,
) {
  const sent = new Set<string>();
  for await (const request of requests) {
    yield {
      validHost: request.host,
      // The same shape in both versions; only the name of the package differs.
      originalRequest: request as never,
      messageResponse: answer(index, request.messageRequest, sent),
    };
  }
}

function answer(
  index: FileIndex,
  question: (RequestV1 | RequestV1Alpha)["messageRequest"],
  sent: Set<string>,
) {
  switch (question.case) {
    case "listServices":
      return {
        case: "listServicesResponse" as const,
        value: { service: index.services.map((name) => ({ name })) },
      };
    case "fileByFilename":
      return fileAnswer(index, index.byName(question.value), sent, "no such file");
    case "fileContainingSymbol":
      return fileAnswer(index, index.bySymbol(question.value), sent, "no such symbol");
    case "fileContainingExtension": {
      const { containingType, extensionNumber } = question.value;
      return fileAnswer(index, index.byExtension(containingType, extensionNumber), sent, "no such extension");
    }
    case "allExtensionNumbersOfType": {
      const numbers = index.extensionNumbers(question.value);
      if (numbers === undefined) return errorAnswer(Code.NotFound, "no such message");
      return {
        case: "allExtensionNumbersResponse" as const,
        value: { baseTypeName: question.value, extensionNumber: [...numbers] },
      };
    }
    case undefined:
      return errorAnswer(Code.InvalidArgument, "set one of the questions of message_request");
  }
}

function fileAnswer(index: FileIndex, file: DescFile | undefined, sent: Set<string>, missing: string) {
  if (file === undefined) return errorAnswer(Code.NotFound, missing);
  // The file that is asked for is sent even if it went out before: the question was for it.
  sent.delete(file.proto.name);
  return {
    case: "fileDescriptorResponse" as const,
    value: { fileDescriptorProto: index.closure(file, sent) },
  };
}

function errorAnswer(errorCode: Code, errorMessage: string) {
  return { case: "errorResponse" as const, value: { errorCode, errorMessage } };
}
