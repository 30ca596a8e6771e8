/** User tokens for a developer at the server's own machine, told to the audit log. Whether somebody is that is not decided here. */
import { unknownActor, type AuditSink } from "../audit/audit-event.ts";
import type { Repeats } from "../audit/fold-repeats.ts";
import { nameSubject } from "../audit/name-subject.ts";
import type { JwtSettings } from "../keys/jwt-settings.ts";
import type { IssuedToken } from "../targets/transcription/issue-token.ts";
import { issueUserToken } from "./user-token.ts";

export interface SignInForDevelopmentOptions {
  readonly jwt: JwtSettings;
  readonly audit: Pick<AuditSink, "record">;
  readonly repeats: Pick<Repeats, "fold">;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** A day's work. */
const ttlSeconds = 12 * 3600;
const action = "user_token.create";

export function signInForDevelopment({ jwt, audit, repeats, now }: SignInForDevelopmentOptions) {
  return {
    issueToken(userId: string, peerAddress: string): IssuedToken {
      const subject = nameSubject({ user_id: userId, sign_in: "development" });
      audit.record({ actor: unknownActor, action, subject, outcome: "ok", peerAddress });
      return issueUserToken({ userId, displayName: userId, ttlSeconds }, jwt, now());
    },
    onRefused(reason: string, peerAddress: string): void {
      const subject = nameSubject({ sign_in: "development" });
      repeats.fold({ actor: unknownActor, action, subject, outcome: reason, peerAddress });
    },
  };
}
