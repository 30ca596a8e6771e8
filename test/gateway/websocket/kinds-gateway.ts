/**
 * A gateway that serves one RPC of each kind. Special words make calls wait, fail, flood, or say what they were called
 * with.
 */
import { Code, ConnectError } from "@connectrpc/connect";
import type { HandlerContext } from "@connectrpc/connect";
import { pino } from "pino";
import { RetryInfoSchema } from "../../../gen/ts/google/rpc/error_details_pb.ts";
import { protocolKey } from "../../../src/gateway/adapter/call-context.ts";
import { createGateway, type GatewayOptions } from "../../../src/gateway/create-gateway.ts";
import { kindsService, type Text } from "./kinds-service.ts";

export interface KindsGateway {
  readonly url: string;
  readonly port: number;
  readonly gateway: ReturnType<typeof createGateway>;
  /** Why calls were aborted that waited, in order. */
  readonly aborted: string[];
  /** Answers given to "flood". */
  readonly flooded: () => number;
  readonly lines: Record<string, unknown>[];
  close(): Promise<void>;
}

export async function startKindsGateway(options: Partial<GatewayOptions> = {}): Promise<KindsGateway> {
  const lines: Record<string, unknown>[] = [];
  const aborted: string[] = [];
  let flooded = 0;

  const answer = async (text: string, context: HandlerContext): Promise<Text> => {
    if (text === "fail") {
      const retryDelay = { seconds: 7n };
      const detail = { desc: RetryInfoSchema, value: { retryDelay } };
      throw new ConnectError("too many; wait: 7 s", Code.ResourceExhausted, { "x-why": "too-many" }, [
        detail,
      ]);
    }
    if (text === "wait") {
      await new Promise((resolve) => context.signal.addEventListener("abort", resolve, { once: true }));
      aborted.push(String(ConnectError.from(context.signal.reason).code));
      throw context.signal.reason;
    }
    if (text === "metadata") {
      context.responseHeader.set("x-header", context.requestHeader.get("x-sent") ?? "");
      context.responseTrailer.set("x-trailer", "last");
      context.responseTrailer.set("x-bytes-bin", "AAEC");
    }
    if (text === "protocol") return { value: context.values.get(protocolKey) ?? "" };
    return { value: text };
  };
  const gateway = createGateway({
    routes(router) {
      router.service(kindsService, {
        unary: ({ value }: Text, context: HandlerContext) => answer(value, context),
        async *server({ value }: Text, context: HandlerContext) {
          if (value === "flood") {
            for (; !context.signal.aborted; flooded++) yield { value: "x".repeat(4096) };
            return;
          }
          for (const word of value.split(" ")) yield await answer(word, context);
        },
        async client(requests: AsyncIterable<Text>, context: HandlerContext) {
          const words: string[] = [];
          for await (const { value } of requests) words.push((await answer(value, context)).value);
          return { value: words.join(" ") };
        },
        async *bidi(requests: AsyncIterable<Text>, context: HandlerContext) {
          try {
            for await (const { value } of requests) yield await answer(value, context);
          } catch (error) {
            aborted.push(String(ConnectError.from(error).code));
            throw error;
          }
        },
      } as never);
    },
    interceptors: [],
    health: () => ({ ready: true, dependencies: {} }),
    descriptors: [],
    allowedOrigins: ["https://app.example.org"],
    log: pino(
      { level: "debug" },
      { write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>) },
    ),
    ...options,
  });
  const { port } = await gateway.listen(0, "127.0.0.1");
  return {
    url: `${options.tls ? "https" : "http"}://127.0.0.1:${port}`,
    port,
    gateway,
    aborted,
    flooded: () => flooded,
    lines,
    close: () => gateway.stop({ graceMs: 0 }),
  };
}
