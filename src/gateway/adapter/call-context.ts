/** What the listener knows of a call and handlers cannot see by themselves, as context values. Holds no credentials. */
import { createContextKey, type ContextKey } from "@connectrpc/connect";

export interface Peer {
  /** IP address of the connection's other end; a proxy's if there is one: what a header claims is not believed. */
  address: string;
  /** "1.0", "1.1" or "2.0". */
  httpVersion: string;
}

/** Who is at the other end. Absent without a listener, as in tests over an in-memory router. */
export const peerKey: ContextKey<Peer | undefined> = createContextKey<Peer | undefined>(undefined, {
  description: "peer of the connection",
});

/** The protocol, where the content type does not tell it: "rest". */
export const protocolKey: ContextKey<string | undefined> = createContextKey<string | undefined>(undefined, {
  description: "protocol of the call",
});

/** Whether the call came as far as the interceptors. One that did not, being undecodable or too large, they cannot log. */
export const reachedKey: ContextKey<boolean> = createContextKey(false, {
  description: "call reached interceptors",
});
