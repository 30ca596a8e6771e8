/**
 * The event by which the log itself says that its oldest events were removed, and up to which. It is part of the chain: without
 * it, a chain that does not begin with event 1 is one from which somebody took the beginning away.
 */
import { serverActor } from "./audit-event.ts";
import type { AuditEntry, ChainLink } from "./audit-event.ts";
import { formatLink, parseLink } from "./chain-link.ts";

const action = "audit.prune";

/** `through` is the newest of the events that are removed. */
export function pruneEntry(through: ChainLink): AuditEntry {
  return { actor: serverActor, action, subject: `through=${formatLink(through)}`, outcome: "ok" };
}

/** The newest of the removed events; undefined for an event of another kind. */
export function readPruneEvent(event: AuditEntry): ChainLink | undefined {
  if (event.actor !== serverActor || event.action !== action) return undefined;
  const [, through] = /^through=(.*)$/.exec(event.subject) ?? [];
  return through === undefined ? undefined : parseLink(through);
}
