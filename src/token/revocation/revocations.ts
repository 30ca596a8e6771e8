/**
 * Transcription tokens that were taken back before they expired. Every replica keeps all live revocations in memory, so
 * that no verification waits for the database; it loads them at start, and reads them again whenever another replica says
 * that there is a new one. Streams that a revoked token opened are ended at once.
 *
 * A replica that cannot hear the others reads again every `rereadMs`; one that cannot reach the database either goes on with
 * what it knew last, and reads as soon as it can. Meanwhile it can open no session and acknowledge nothing.
 */
import type { Clock } from "../../clock.ts";
import type { Notices } from "../../notices.ts";
import type { ParticipantCaller, UserCaller } from "../caller.ts";
import { maxLifetimeSeconds } from "../keys/jwt-settings.ts";
import { clockSkewSeconds } from "../jwt/verify-jwt.ts";
import type { Revocation, RevocationSelector, RevocationStore } from "./revocation-store.ts";
import { TokenError, TokenRequestError } from "../token-error.ts";

export interface RevocationsOptions {
  readonly store: RevocationStore;
  readonly notices: Notices;
  readonly clock: Clock;
  /** Ends the live streams of this process that such tokens opened; how many. */
  readonly endStreams: (selector: RevocationSelector) => number;
  /** Something an operator should see. */
  readonly onProblem: (message: string, error: unknown) => void;
}

/** A transcription or a refresh token, as far as it matters here. */
export type RevocableToken = Pick<
  ParticipantCaller,
  "tokenId" | "familyId" | "userId" | "roomName" | "issueTime"
>;

const topic = "revocations";
const rereadMs = 30_000;
const retryMs = 1_000;
const sweepMs = 3_600_000;
/** Single tokens that a user has taken back and that live: they are kept in the memory of every replica. */
const maxTokensOfUser = 100;
/** The same for single users in a room, whose owner may change the list of members as often as they like. */
const maxUsersOfRoom = 100;

export class Revocations {
  readonly #options: RevocationsOptions;
  readonly #live = new Map<string, Revocation>();
  /** Of single tokens, by the user who took them back. */
  readonly #tokensOfUser = new Map<string, number>();
  /** Of single users in a room, by the room. */
  readonly #usersOfRoom = new Map<string, number>();
  #stopListening: (() => void) | undefined;
  #cancelTimer: (() => void) | undefined;
  #reading: Promise<void> | undefined;
  #isStale = false;
  #isStopped = false;
  #sweptAtMs = 0;

  constructor(options: RevocationsOptions) {
    this.#options = options;
  }

  /** To be called before any token is verified. Rejects when the database cannot be read. */
  async start(): Promise<void> {
    const again = () => void this.#readAgain();
    this.#stopListening = this.#options.notices.subscribe(topic, { onNotice: again, onMissed: again });
    await this.#read();
    this.#schedule(rereadMs);
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#stopListening?.();
    this.#cancelTimer?.();
    await this.#reading;
  }

  /** The same caller. Throws TokenError `revoked`. A user's login is the app's own, and no revocation here concerns it. */
  check<C extends UserCaller | ParticipantCaller>(caller: C): C {
    if (caller.kind === "participant" && this.isRevoked(caller))
      throw new TokenError("revoked", "the token was revoked");
    return caller;
  }

  isRevoked(token: RevocableToken): boolean {
    const { tokenId, familyId, userId, roomName, issueTime } = token;
    const ids = familyId === undefined ? [tokenId] : [tokenId, familyId];
    return [
      ...ids.flatMap((id) => [{ tokenId: id }, { tokenId: id, userId }]),
      { userId },
      { roomName },
      { roomName, userId },
    ].some((selector) => {
      const found = this.#live.get(keyOf(selector));
      return found !== undefined && issueTime <= found.revokeTime;
    });
  }

  /**
   * Takes back the tokens that were issued until now, and ends their streams; how many of this process. Safe to repeat.
   * Rejects when the database does not take it, or cannot tell the other replicas, which then learn of it when they read
   * again; throws TokenRequestError `limit` when a user has taken back too many tokens one by one.
   */
  async revoke(asked: RevocationSelector): Promise<number> {
    const { clock, store, notices } = this.#options;
    const selector = this.#widened(asked);
    this.#checkLimit(selector);
    const nowMs = clock.now();
    // Whatever is issued until now has expired a lifetime later; `exp` and `iat` each may be off by the skew.
    const keepMs = (maxLifetimeSeconds + 2 * clockSkewSeconds) * 1000;
    const revocation = { selector, revokeTime: new Date(nowMs), expireTime: new Date(nowMs + keepMs) };
    await store.keep(revocation);
    const ended = this.#learn(revocation);
    await notices.publish(topic, "");
    return ended;
  }

  /** Of a room from which many have lost their right, everybody's tokens: who may still enter asks for new ones. */
  #widened(selector: RevocationSelector): RevocationSelector {
    if (!("roomName" in selector) || selector.userId === undefined || this.#live.has(keyOf(selector)))
      return selector;
    const { roomName } = selector;
    return (this.#usersOfRoom.get(roomName) ?? 0) < maxUsersOfRoom ? selector : { roomName };
  }

  #checkLimit(selector: RevocationSelector): void {
    if (!isTokenOfUser(selector) || this.#live.has(keyOf(selector))) return;
    if ((this.#tokensOfUser.get(selector.userId) ?? 0) < maxTokensOfUser) return;
    throw new TokenRequestError(
      "limit",
      `token_id: a user may revoke at most ${maxTokensOfUser} tokens a day one by one; send user_id to revoke all`,
    );
  }

  /** Streams that it ended: 0 when it was known. */
  #learn(revocation: Revocation): number {
    const key = keyOf(revocation.selector);
    const known = this.#live.get(key);
    if (known && known.revokeTime >= revocation.revokeTime) return 0;
    if (!known) this.#count(revocation.selector, 1);
    this.#live.set(key, revocation);
    return this.#options.endStreams(revocation.selector);
  }

  #forgetExpired(): void {
    const nowMs = this.#options.clock.now();
    for (const [key, { selector, expireTime }] of this.#live) {
      if (expireTime.getTime() > nowMs) continue;
      this.#live.delete(key);
      this.#count(selector, -1);
    }
  }

  #count(selector: RevocationSelector, change: 1 | -1): void {
    if (isTokenOfUser(selector)) addTo(this.#tokensOfUser, selector.userId, change);
    if ("roomName" in selector && selector.userId !== undefined)
      addTo(this.#usersOfRoom, selector.roomName, change);
  }

  /** What is known is only added to: a read that began before a revocation must not undo it. */
  async #read(): Promise<void> {
    const { store, clock } = this.#options;
    for (const revocation of await store.list(new Date(clock.now()))) this.#learn(revocation);
    this.#forgetExpired();
    if (clock.now() - this.#sweptAtMs < sweepMs) return;
    this.#sweptAtMs = clock.now();
    await store.deleteExpired(new Date(clock.now() - sweepMs)); // other replicas' clocks may be behind
  }

  /** One at a time; what is announced meanwhile is read after it. Never rejects: a read that fails is tried again. */
  #readAgain(): Promise<void> {
    this.#isStale = true;
    return (this.#reading ??= this.#readWhileStale());
  }

  async #readWhileStale(): Promise<void> {
    let nextMs = rereadMs;
    try {
      while (this.#isStale && !this.#isStopped) {
        this.#isStale = false;
        await this.#read();
      }
    } catch (error) {
      nextMs = retryMs;
      if (!this.#isStopped) this.#options.onProblem("revocations cannot be read; trying again", error);
    } finally {
      this.#reading = undefined;
      this.#schedule(nextMs);
    }
  }

  #schedule(ms: number): void {
    this.#cancelTimer?.();
    if (!this.#isStopped) this.#cancelTimer = this.#options.clock.after(ms, () => void this.#readAgain());
  }
}

function addTo(counts: Map<string, number>, key: string, change: 1 | -1): void {
  const count = (counts.get(key) ?? 0) + change;
  if (count === 0) counts.delete(key);
  else counts.set(key, count);
}

function isTokenOfUser(selector: RevocationSelector): selector is { tokenId: string; userId: string } {
  return "tokenId" in selector && selector.userId !== undefined;
}

function keyOf(selector: RevocationSelector): string {
  if ("tokenId" in selector) return JSON.stringify(["token", selector.tokenId, selector.userId]);
  if ("roomName" in selector) return JSON.stringify(["room", selector.roomName, selector.userId]);
  return JSON.stringify(["user", selector.userId]);
}
