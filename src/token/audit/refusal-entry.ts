/** The event of a credential that was refused: by whom nobody knows, for which RPC, and why. To be folded (fold-repeats.ts). */
import { unknownActor } from "./audit-event.ts";
import type { AuditEntry } from "./audit-event.ts";
import { nameSubject } from "./name-subject.ts";

export interface CredentialRefusal {
  /** Full name of the RPC. */
  readonly method: string;
  /** `missing`, or the code of a TokenError. */
  readonly code: string;
  /** As one address counts. */
  readonly peerAddress?: string;
}

export function refusalEntry({ method, code, peerAddress }: CredentialRefusal): AuditEntry {
  return {
    actor: unknownActor,
    action: "credential.refuse",
    subject: nameSubject({ method }),
    outcome: code.replaceAll("-", "_"),
    ...(peerAddress !== undefined && { peerAddress }),
  };
}
