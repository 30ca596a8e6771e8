/** What the page has to remember while the user is at the provider: in this tab, for one return, for a quarter of an hour. */
import type { Provider } from "./provider.ts";

export interface Flow {
  readonly provider: Provider;
  readonly redirectUri: string;
  /** Comes back with the user, and with nobody else. */
  readonly state: string;
  /** Comes back within the ID token. */
  readonly nonce: string;
  /** Proves that who redeems the code is who asked for it. RFC 7636. */
  readonly verifier: string;
  /** The place in the studio to go to. */
  readonly returnTo: string;
  /** Milliseconds since the epoch. */
  readonly begunAtMs: number;
}

export type FlowStorage = Pick<Storage, "getItem" | "setItem" | "removeItem">;

const storageKey = "parley.oidc-flow";
const maxAgeMs = 15 * 60_000;

export function keepFlow(flow: Flow, storage: FlowStorage): void {
  storage.setItem(storageKey, JSON.stringify(flow));
}

/** Takes it out, so that it serves once. Undefined: there is none, or it is too old. */
export function takeFlow(storage: FlowStorage, nowMs: number): Flow | undefined {
  const text = storage.getItem(storageKey);
  storage.removeItem(storageKey);
  if (text === null) return undefined;
  const flow = JSON.parse(text) as Flow;
  return nowMs - flow.begunAtMs <= maxAgeMs ? flow : undefined;
}
