/**
 * The token that old clients put into a WebSocket's URL: judged before the upgrade, and counted and told of as any other
 * credential is. The URL itself is never logged.
 */
import { Code, ConnectError } from "@connectrpc/connect";
import type { CredentialRefusal } from "../../../token/audit/refusal-entry.ts";
import type { Caller, ParticipantCaller } from "../../../token/caller.ts";
import { TokenError } from "../../../token/token-error.ts";
import { toConnectError } from "../../interceptors/errors.ts";
import { RateLimitError } from "../../rate-limits/rate-limit-error.ts";
import { addressKey } from "../../listener/connection-table.ts";
import type { Handshake } from "../web-socket-endpoint.ts";

export interface AdmissionOptions {
  /** Throws TokenError. */
  readonly verify: (token: string) => Caller;
  /** Of refused credentials, by address. */
  readonly rates: AddressRates;
  /** Why a credential was refused; for an operator only. */
  readonly onRefused: (refusal: CredentialRefusal) => void;
}

export interface AddressRates {
  /** Throws RateLimitError when the address has asked too often. */
  readonly check: (address: string) => void;
  /** It was refused. */
  readonly count: (address: string) => void;
}

/** Throws a ConnectError: UNAUTHENTICATED, PERMISSION_DENIED for a credential of another kind, RESOURCE_EXHAUSTED. */
export function admitToken(handshake: Handshake, options: AdmissionOptions): ParticipantCaller {
  const { rates, verify, onRefused } = options;
  const { address, path } = handshake;
  try {
    rates.check(address);
    const caller = verify(tokenOf(handshake.query));
    if (caller.kind === "participant") return caller;
    throw new ConnectError("this socket takes a token for a room, not a login", Code.PermissionDenied);
  } catch (error) {
    if (error instanceof RateLimitError) throw toConnectError(error, () => undefined);
    if (!(error instanceof TokenError)) throw error;
    onRefused({ method: path, code: error.code, peerAddress: addressKey(address) });
    rates.count(address);
    throw new ConnectError("missing or bad token; send it as ?token=", Code.Unauthenticated);
  }
}

function tokenOf(query: URLSearchParams): string {
  const [token, ...others] = query.getAll("token");
  if (token === undefined || token === "" || others.length > 0)
    throw new TokenError("malformed", "not one token");
  return token;
}
