/** The verifier under test, with a clock that a test moves and what an operator would see of it. */
import { onTestFinished } from "vitest";
import type { UserCaller } from "../../../../src/token/caller.ts";
import { TokenError } from "../../../../src/token/token-error.ts";
import { IssuerError } from "../../../../src/token/users/oidc/issuer-error.ts";
import { OidcUsers } from "../../../../src/token/users/oidc/oidc-users.ts";
import type { OidcUsersOptions } from "../../../../src/token/users/oidc/oidc-users.ts";
import { createManualClock } from "../../../fakes/manual-clock.ts";
import type { ManualClock } from "../../../fakes/manual-clock.ts";

export interface OpenedUsers {
  readonly users: OidcUsers;
  /** Of the keys, not of the tokens: these are judged by `nowMs`. */
  readonly clock: ManualClock;
  /** `<issuer>: <problem>`. */
  readonly problems: string[];
  readonly verify: (token: string, nowMs?: number) => Promise<UserCaller>;
  /** "ok", or the code of the refusal. Anything but a TokenError or an IssuerError fails the test. */
  readonly verdict: (token: string, nowMs?: number) => Promise<string>;
}

/** Closed when the test that opens it is over. Tokens are judged by the real time where a test does not say. */
export function openOidcUsers(
  options: Pick<OidcUsersOptions, "issuers"> & Partial<OidcUsersOptions>,
): OpenedUsers {
  const clock = createManualClock();
  const problems: string[] = [];
  const users = new OidcUsers({
    authorizedParties: [],
    clock,
    onProblem: (issuer, problem) => void problems.push(`${issuer}: ${problem}`),
    ...options,
  });
  onTestFinished(() => users.close());
  const verify = (token: string, nowMs = Date.now()) => users.verify(token, nowMs);
  return {
    users,
    clock,
    problems,
    verify,
    async verdict(token, nowMs) {
      try {
        await verify(token, nowMs);
        return "ok";
      } catch (error) {
        if (error instanceof TokenError || error instanceof IssuerError) return error.code;
        throw error;
      }
    },
  };
}
