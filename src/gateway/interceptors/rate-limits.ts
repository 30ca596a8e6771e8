/**
 * Limits how often one may ask, by caller and by address. Two interceptors: one stands before the credentials are looked at,
 * so that whoever sends bad ones gets no further; the other after, when it is known who calls. Each replica counts for itself.
 */
import { Code, ConnectError } from "@connectrpc/connect";
import type { Interceptor, StreamRequest, UnaryRequest } from "@connectrpc/connect";
import { nameCaller } from "../../token/caller.ts";
import type { Caller } from "../../token/caller.ts";
import { TokenError } from "../../token/token-error.ts";
import { peerKey } from "../adapter/call-context.ts";
import { addressKey } from "../listener/connection-table.ts";
import { CallRates } from "../rate-limits/call-rates.ts";
import { limitedKind } from "../rate-limits/limited-calls.ts";
import type { LimitedKind } from "../rate-limits/limited-calls.ts";
import { RateLimitError } from "../rate-limits/rate-limit-error.ts";
import type { RateLimitValues } from "../rate-limits/rate-limit-values.ts";
import { callerKey } from "./credentials.ts";

export interface RateLimits {
  /** To stand outside the credentials interceptor. Counts refused credentials. */
  readonly byAddress: Interceptor;
  /** To stand inside it. Counts limited calls, by caller and, but for API keys, by address. */
  readonly byCaller: Interceptor;
  /** For credentials that are looked at before there is a call. `check` throws RateLimitError, `count` counts one refused. */
  readonly handshakes: {
    readonly check: (address: string) => void;
    readonly count: (address: string) => void;
  };
}

export function rateLimits(values: RateLimitValues, now: () => number): RateLimits {
  const rates = new CallRates(now);
  return {
    byAddress: (next) => async (request) => {
      const address = addressOf(request);
      if (address === undefined) return next(request);
      refuseIf(rates.waitOf(address, values.callsPerAddress), addressMessage);
      try {
        return await next(request);
      } catch (error) {
        if (isRefused(error)) rates.take(address, values.callsPerAddress);
        throw error;
      }
    },

    byCaller: (next) => (request) => {
      const kind = limitedKind(request.method);
      if (kind !== undefined) {
        const caller = request.contextValues.get(callerKey);
        const address = addressOf(request);
        if (caller) {
          const { perMinute, variable } = limitOf(kind, caller, values);
          refuseIf(rates.take(`${kind} ${nameCaller(caller)}`, perMinute), (wait) =>
            callerMessage(variable, perMinute, wait),
          );
        }
        if (address !== undefined && caller?.kind !== "service")
          refuseIf(rates.take(address, values.callsPerAddress), addressMessage);
      }
      return next(request);
    },

    handshakes: {
      check: (address) => refuseIf(rates.waitOf(keyOf(address), values.callsPerAddress), addressMessage),
      count: (address) => void rates.take(keyOf(address), values.callsPerAddress),
    },
  };
}

/** A credential that was no good, or a refresh token. */
function isRefused(error: unknown): boolean {
  return (
    error instanceof TokenError || (error instanceof ConnectError && error.code === Code.Unauthenticated)
  );
}

function limitOf(kind: LimitedKind, caller: Caller, values: RateLimitValues) {
  if (caller.kind === "service")
    return { perMinute: values.callsPerService, variable: "MAX_SERVICE_CALLS_PER_MINUTE" };
  switch (kind) {
    case "mint":
      return { perMinute: values.mintsPerUser, variable: "MAX_MINTS_PER_MINUTE" };
    case "validate":
      return { perMinute: values.validationsPerUser, variable: "MAX_VALIDATIONS_PER_MINUTE" };
    case "open":
      return { perMinute: values.streamsPerParticipant, variable: "MAX_OPENED_STREAMS_PER_MINUTE" };
  }
}

/** As one address counts: a whole network for IPv6. Undefined without a listener, as in tests. */
function addressOf(request: UnaryRequest | StreamRequest): string | undefined {
  const peer = request.contextValues.get(peerKey);
  return peer && keyOf(peer.address);
}

function keyOf(address: string): string {
  return `address ${addressKey(address)}`;
}

/** Throws RateLimitError. */
function refuseIf(waitMs: number | undefined, message: (wait: string) => string): void {
  if (waitMs === undefined) return;
  throw new RateLimitError(message(`try again in ${Math.ceil(waitMs / 1000)} s`), waitMs);
}

function callerMessage(variable: string, perMinute: number, wait: string): string {
  return `too many calls: ${variable} allows ${perMinute} a minute; ${wait}`;
}

function addressMessage(wait: string): string {
  return `too many calls from this address; ${wait}, or have MAX_CALLS_PER_ADDRESS_PER_MINUTE raised if a proxy brings many clients`;
}
