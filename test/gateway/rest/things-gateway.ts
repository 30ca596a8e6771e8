/**
 * A gateway on a free port for a made service. Each RPC answers with what it was sent; `display_name` may ask for something
 * else: "fail:<code>" for an error, "wait" for an answer that never comes.
 */
import type { DescService, Message } from "@bufbuild/protobuf";
import { Code, ConnectError, type HandlerContext } from "@connectrpc/connect";
import { pino } from "pino";
import { createGateway, type Gateway, type GatewayOptions } from "../../../src/gateway/create-gateway.ts";
import { deadlineInterceptor } from "../../../src/gateway/interceptors/deadline.ts";
import { logInterceptor } from "../../../src/gateway/interceptors/log.ts";
import { requestIdInterceptor } from "../../../src/gateway/interceptors/request-id.ts";

export interface ThingsGateway {
  gateway: Gateway;
  port: number;
  /** Log lines so far, parsed. */
  lines: Record<string, unknown>[];
  /** Calls that wait so far; resolves with the first. */
  waiting: Promise<void>;
  close: () => Promise<void>;
}

export async function startThingsGateway(
  service: DescService,
  options: Partial<GatewayOptions> = {},
): Promise<ThingsGateway> {
  const lines: Record<string, unknown>[] = [];
  const log = pino(
    { level: "debug" },
    { write: (line: string) => void lines.push(JSON.parse(line) as never) },
  );
  const waiting = Promise.withResolvers<undefined>();
  const echo = async (request: Message, context: HandlerContext) => {
    const { displayName } = request as Message & { displayName: string };
    const code = /^fail:(\w+)$/.exec(displayName)?.[1];
    if (code !== undefined) {
      throw new ConnectError("what went wrong", Code[code as keyof typeof Code], { "retry-after": "7" });
    }
    if (displayName === "wait") {
      waiting.resolve(undefined);
      await new Promise((_, reject) => {
        context.signal.addEventListener("abort", () => {
          reject(context.signal.reason as Error);
        });
      });
    }
    const { $typeName: _, ...fields } = request;
    return fields;
  };
  const gateway = createGateway({
    routes: (router) => {
      for (const method of service.methods) router.rpc(method, echo as never);
    },
    interceptors: [requestIdInterceptor(), logInterceptor({ log }), deadlineInterceptor()],
    health: () => ({ ready: true, dependencies: {} }),
    descriptors: [],
    allowedOrigins: ["https://app.example.org"],
    log,
    ...options,
  });
  const { port } = await gateway.listen(0, "127.0.0.1");
  return { gateway, port, lines, waiting: waiting.promise, close: () => gateway.stop({ graceMs: 0 }) };
}
