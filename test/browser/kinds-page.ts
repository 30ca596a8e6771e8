/** Runs in a page: calls of each kind over the WebSocket transport, and what a caller learns of each. */
import { ConnectError } from "@connectrpc/connect";
import { RetryInfoSchema } from "../../gen/ts/google/rpc/error_details_pb.ts";
import { createWebSocketTransport } from "../../src/client/index.ts";
import { kindsClient, texts } from "../gateway/websocket/kinds-service.ts";

export interface Failure {
  readonly code: number;
  readonly message: string;
  readonly why: string | null;
  readonly retryAfterSeconds: string | undefined;
}

async function failure(call: Promise<unknown>): Promise<Failure | undefined> {
  try {
    await call;
    return undefined;
  } catch (reason) {
    const error = ConnectError.from(reason);
    return {
      code: error.code,
      message: error.rawMessage,
      why: error.metadata.get("x-why"),
      retryAfterSeconds: error.findDetails(RetryInfoSchema)[0]?.retryDelay?.seconds.toString(),
    };
  }
}

async function all(answers: AsyncIterable<{ value: string }>): Promise<string[]> {
  const values: string[] = [];
  for await (const { value } of answers) values.push(value);
  return values;
}

const parts = (baseUrl: string) => {
  const client = kindsClient(createWebSocketTransport({ baseUrl }));
  return {
    unary: (value: string) => client.unary({ value }).then((answer) => answer.value),
    server: (value: string) => all(client.server({ value })),
    client: (...values: string[]) => client.client(texts(...values)).then((answer) => answer.value),

    /** Each question but the first is asked because of the answer before. */
    async inTurns(count: number): Promise<string[]> {
      const heard: string[] = [];
      const answers = Array.from({ length: count }, () => Promise.withResolvers<string>());
      async function* questions() {
        yield { value: "0" };
        for (const { promise } of answers.slice(0, -1)) yield { value: `after ${await promise}` };
      }
      for await (const { value } of client.bidi(questions())) {
        answers[heard.length]?.resolve(value);
        heard.push(value);
      }
      return heard;
    },

    async metadata() {
      const header: Record<string, string> = {};
      const trailer: Record<string, string> = {};
      await client.unary(
        { value: "metadata" },
        {
          headers: { "x-sent": "a: b" },
          onHeader: (fields) => fields.forEach((value, name) => (header[name] = value)),
          onTrailer: (fields) => fields.forEach((value, name) => (trailer[name] = value)),
        },
      );
      return { header, trailer };
    },

    failures: async () => ({
      unary: await failure(client.unary({ value: "fail" })),
      server: await failure(all(client.server({ value: "red fail" }))),
      client: await failure(client.client(texts("red", "fail"))),
      bidi: await failure(all(client.bidi(texts("red", "fail")))),
    }),

    late: () => failure(client.unary({ value: "wait" }, { timeoutMs: 200 })),

    async cancelled(afterMs: number) {
      const abort = new AbortController();
      const call = failure(client.unary({ value: "wait" }, { signal: abort.signal }));
      setTimeout(() => abort.abort(), afterMs);
      return call;
    },

    async leave(): Promise<number> {
      for await (const { value } of client.server({ value: "flood" })) return value.length;
      return 0;
    },

    waiting: () => failure(client.unary({ value: "wait" })),
  };
};

declare global {
  var kinds: typeof parts;
}
globalThis.kinds = parts;
