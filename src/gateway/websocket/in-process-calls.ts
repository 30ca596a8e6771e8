/**
 * Clients of this server's own RPCs, for what speaks another language over a WebSocket: each call runs through the same
 * handlers and interceptors as one from outside, so that no limit, log or audit is passed by. Who calls was found out at the
 * handshake.
 */
import type { DescService } from "@bufbuild/protobuf";
import { Code, ConnectError, createClient, createContextValues } from "@connectrpc/connect";
import type { Client } from "@connectrpc/connect";
import type {
  UniversalClientRequest,
  UniversalClientResponse,
  UniversalHandler,
} from "@connectrpc/connect/protocol";
import { createTransport } from "@connectrpc/connect/protocol-connect";
import type { Caller } from "../../token/caller.ts";
import { peerKey, protocolKey } from "../adapter/call-context.ts";
import { callerKey } from "../interceptors/credentials.ts";
import { requestIdKey } from "../interceptors/request-id.ts";
import type { Handshake } from "./web-socket-endpoint.ts";

export interface CallOrigin {
  readonly handshake: Pick<Handshake, "address" | "requestId">;
  readonly caller: Caller;
  /** For the log. */
  readonly protocol: string;
}

export type InProcessCalls = <S extends DescService>(service: S, origin: CallOrigin) => Client<S>;

/** `handlers`: by path. */
export function createInProcessCalls(handlers: ReadonlyMap<string, UniversalHandler>): InProcessCalls {
  return (service, origin) =>
    createClient(
      service,
      createTransport({
        httpClient: (request) => call(handlers, request, origin),
        baseUrl: "http://localhost",
        useBinaryFormat: true,
        interceptors: [],
        acceptCompression: [],
        sendCompression: null,
        compressMinBytes: Number.MAX_SAFE_INTEGER,
        readMaxBytes: Number.MAX_SAFE_INTEGER,
        writeMaxBytes: Number.MAX_SAFE_INTEGER,
      }),
    );
}

async function call(
  handlers: ReadonlyMap<string, UniversalHandler>,
  { url, method, header, body, signal }: UniversalClientRequest,
  { handshake, caller, protocol }: CallOrigin,
): Promise<UniversalClientResponse> {
  const { pathname } = new URL(url);
  const handler = handlers.get(pathname);
  if (!handler) throw new ConnectError(`${pathname} is not served`, Code.Unimplemented);
  const contextValues = createContextValues()
    .set(peerKey, { address: handshake.address, httpVersion: "1.1" })
    .set(requestIdKey, handshake.requestId)
    .set(protocolKey, protocol)
    .set(callerKey, caller);
  const answer = await handler({
    httpVersion: "2", // as far as Connect asks: whether it can stream both ways
    method,
    url,
    header,
    body: body ?? nothing(),
    signal: signal ?? new AbortController().signal,
    contextValues,
  });
  return {
    status: answer.status,
    header: new Headers(answer.header),
    body: answer.body ?? nothing(),
    trailer: new Headers(answer.trailer),
  };
}

async function* nothing(): AsyncGenerator<Uint8Array> {
  // no bytes
}
