/**
 * Rotation: each refresh token is good for one use, and the next comes with it. One that is used again was stolen, or its
 * thief was first: nobody can tell, so its whole family is revoked (RFC 9700, section 4.14.2).
 *
 * Nothing is stored when a family begins; the database holds the newest spent generation of each, from the first use on.
 */
import { randomUUID } from "node:crypto";
import type { Clock } from "../../clock.ts";
import type { JwtSettings } from "../keys/jwt-settings.ts";
import type { Revocations } from "../revocation/revocations.ts";
import { TokenError } from "../token-error.ts";
import { familyLifetimeSeconds, issueRefreshToken, makeFamilyId, readRefreshToken } from "./refresh-token.ts";
import type { RefreshGrant, RefreshToken } from "./refresh-token.ts";
import type { LastSpending, RefreshStore } from "./refresh-store.ts";

export interface RefreshTokensOptions {
  readonly jwt: JwtSettings;
  readonly store: RefreshStore;
  readonly revocations: Pick<Revocations, "isRevoked" | "revoke">;
  readonly clock: Clock;
  /** Something an operator should see. */
  readonly onProblem: (message: string, error: unknown) => void;
}

/** A token that was found good. */
export interface PresentedToken extends RefreshToken {
  /** Its place in the order in which tokens were read and spent here. */
  readonly turn: number;
}

export interface NewFamily {
  readonly familyId: string;
  readonly token: string;
}

/** Between replicas: two uses so close together are a race of one client with itself, not a theft. */
const raceMs = 2_000;
/** No call lasts longer, from reading its token to spending it. */
const callMs = 60_000;
const sweepMs = 3_600_000;

export class RefreshTokens {
  readonly #options: RefreshTokensOptions;
  readonly #replicaId = randomUUID();
  /** Ids of tokens that are just being spent here. */
  readonly #underWay = new Set<string>();
  /** Of tokens that were spent here, by id, for `callMs`; the oldest first. */
  readonly #spent = new Map<string, { readonly turn: number; readonly timeMs: number }>();
  #turn = 0;
  #sweptAtMs: number;

  constructor(options: RefreshTokensOptions) {
    this.#options = options;
    this.#sweptAtMs = options.clock.now();
  }

  /** Begins a family. The access tokens that come with it must carry its id. `nowMs`: when the right was looked at. */
  begin(grant: RefreshGrant, nowMs = this.#options.clock.now()): NewFamily {
    const { jwt } = this.#options;
    const familyId = makeFamilyId(nowMs);
    return { familyId, token: issueRefreshToken({ grant, familyId, generation: 1 }, jwt, nowMs) };
  }

  /** The token, when it is good and not revoked; whether it was spent is not yet known. Throws TokenError. */
  read(token: string): PresentedToken {
    const { jwt, clock } = this.#options;
    const read = readRefreshToken(token, jwt, clock.now());
    this.#checkRevoked(read);
    return { ...read, turn: ++this.#turn };
  }

  /**
   * Spends what `read` gave; the token that follows on it. Throws TokenError `spent` or `revoked`, and has then revoked the
   * family unless it was a race; rejects otherwise when the database does not answer.
   */
  async spend(token: PresentedToken): Promise<string> {
    if (this.#underWay.has(token.tokenId)) throw new TokenError("spent", "the token is just being spent");
    this.#underWay.add(token.tokenId);
    try {
      await this.#spendOnce(token);
    } finally {
      this.#underWay.delete(token.tokenId);
    }
    this.#checkRevoked(token); // since it was read
    this.#sweep();
    const { jwt, clock } = this.#options;
    return issueRefreshToken({ ...token, generation: token.generation + 1 }, jwt, clock.now());
  }

  async #spendOnce(token: PresentedToken): Promise<void> {
    const { familyId, generation, issueTime } = token;
    const expireTime = new Date(issueTime.getTime() + familyLifetimeSeconds * 1000);
    const replicaId = this.#replicaId;
    const before = await this.#options.store.spend({ familyId, generation, replicaId, expireTime });
    if (!before) {
      this.#noteSpent(token);
      return;
    }
    if (!this.#isRace(before, token)) await this.#options.revocations.revoke({ tokenId: familyId });
    throw new TokenError("spent", "the token was spent before");
  }

  #noteSpent({ tokenId }: RefreshToken): void {
    const timeMs = this.#options.clock.now();
    for (const [spentId, spent] of this.#spent) {
      if (timeMs - spent.timeMs < callMs) break;
      this.#spent.delete(spentId);
    }
    this.#spent.set(tokenId, { turn: ++this.#turn, timeMs });
  }

  /** Here, whether it was read before it was spent: of calls at once that is so, and of one that follows on an answer it is not. */
  #isRace(before: LastSpending, { tokenId, generation, turn }: PresentedToken): boolean {
    if (before.replicaId === this.#replicaId) return (this.#spent.get(tokenId)?.turn ?? 0) > turn;
    return before.generation === generation && before.agoMs < raceMs;
  }

  #checkRevoked({ grant, tokenId, familyId, issueTime }: RefreshToken): void {
    const { userId, roomName } = grant;
    if (this.#options.revocations.isRevoked({ tokenId, familyId, userId, roomName, issueTime }))
      throw new TokenError("revoked", "the token was revoked");
  }

  /** Now and then, and in nobody's way. */
  #sweep(): void {
    const { clock, store, onProblem } = this.#options;
    if (clock.now() - this.#sweptAtMs < sweepMs) return;
    this.#sweptAtMs = clock.now();
    store
      .deleteExpired(new Date(clock.now() - sweepMs)) // other replicas' clocks may be behind
      .catch((error: unknown) =>
        onProblem("families of refresh tokens that expired cannot be deleted", error),
      );
  }
}
