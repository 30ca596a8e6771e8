/**
 * Who calls, and whether they may. Reads the `authorization` metadata, never a URL; answers every bad credential with one
 * and the same UNAUTHENTICATED, and keeps the reason for the log.
 */
import { Code, ConnectError, createContextKey } from "@connectrpc/connect";
import type { HandlerContext, Interceptor, StreamRequest, UnaryRequest } from "@connectrpc/connect";
import type { CredentialRefusal } from "../../token/audit/refusal-entry.ts";
import type { Caller } from "../../token/caller.ts";
import { TokenError } from "../../token/token-error.ts";
import { peerKey } from "../adapter/call-context.ts";
import { addressKey } from "../listener/connection-table.ts";
import { missingPermission, permissions } from "../permissions.ts";

export interface CredentialsOptions {
  /** Rejects with TokenError for a credential that is no good. */
  readonly verify: (credential: string) => Promise<Caller>;
  /** Why a credential was refused; for an operator only. */
  readonly onRefused: (refusal: CredentialRefusal) => void;
}

export const callerKey = createContextKey<Caller | undefined>(undefined, { description: "who calls" });

export function credentialsInterceptor(options: CredentialsOptions): Interceptor {
  return (next) => async (request) => {
    const method = `${request.service.typeName}.${request.method.name}`;
    const permission = permissions.get(method);
    if (!permission) throw new ConnectError("nobody may call this", Code.PermissionDenied);
    if (!permission.open) {
      // Of a call of this process's own, for a WebSocket, it is known since the handshake.
      const caller = request.contextValues.get(callerKey) ?? (await identify(request, method, options));
      request.contextValues.set(callerKey, caller); // also of a call that is turned away: logs name its caller
      const missing = missingPermission(permission, caller);
      if (missing !== undefined) throw new ConnectError(missing, Code.PermissionDenied);
    }
    return next(request);
  };
}

/** The caller, of one of the kinds that the permission table lets through. */
export function requireCaller<K extends Caller["kind"]>(
  context: HandlerContext,
  ...kinds: K[]
): Extract<Caller, { kind: K }> {
  const caller = context.values.get(callerKey);
  if (caller && (kinds as string[]).includes(caller.kind)) return caller as Extract<Caller, { kind: K }>;
  throw new ConnectError("this call is not for you", Code.PermissionDenied);
}

async function identify(
  { header, contextValues }: UnaryRequest | StreamRequest,
  method: string,
  options: CredentialsOptions,
): Promise<Caller> {
  const peer = contextValues.get(peerKey);
  const from = { method, ...(peer && { peerAddress: addressKey(peer.address) }) };
  // Several `authorization` headers arrive joined by ", ", which no credential contains.
  const [, credential] = /^Bearer ([\x21-\x2b\x2d-\x7e]+)$/i.exec(header.get("authorization") ?? "") ?? [];
  if (credential === undefined) {
    options.onRefused({ ...from, code: "missing" });
    throw refusal();
  }
  try {
    return await options.verify(credential);
  } catch (error) {
    if (!(error instanceof TokenError)) throw error;
    options.onRefused({ ...from, code: error.code });
    throw refusal();
  }
}

function refusal(): ConnectError {
  return new ConnectError(
    "missing or bad credential; send `authorization: Bearer <token or API key>`",
    Code.Unauthenticated,
  );
}
