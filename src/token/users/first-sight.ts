/**
 * Keeps a record of the users who call, from the first call on. Nobody waits for it: a user is written in the background, one
 * after the other, and once for each process, again when the name or the e-mail is another one. What could not be written is
 * tried again at the user's next call.
 */
import type { Clock } from "../../clock.ts";
import type { UserCaller } from "../caller.ts";
import type { UserStore } from "./user-store.ts";

export interface FirstSightOptions {
  readonly store: Pick<UserStore, "see">;
  readonly clock: Clock;
  /** Something an operator should see; once for a row of failures. */
  readonly onProblem: (message: string, error: unknown) => void;
  /** How many users are remembered as written, and how many may wait to be. Default 10,000. */
  readonly maxUsers?: number;
}

interface Seen {
  readonly displayName?: string;
  readonly email?: string;
  readonly timeMs: number;
}

/** A user whose name changes with every call is written so often, in milliseconds. */
const rewriteMs = 60_000;

export class FirstSight {
  readonly #options: FirstSightOptions;
  readonly #maxUsers: number;
  /** What is written, or waits to be; the first seen first. */
  readonly #seen = new Map<string, Seen>();
  readonly #waiting = new Map<string, UserCaller>();
  /** Never rejects. */
  #writing: Promise<void> | undefined;
  #isFailing = false;

  constructor(options: FirstSightOptions) {
    this.#options = options;
    this.#maxUsers = options.maxUsers ?? 10_000;
  }

  /** To be called with every user whose login was verified. Never throws. */
  sight(user: UserCaller): void {
    const nowMs = this.#options.clock.now();
    const seen = this.#seen.get(user.userId);
    if (seen && (!saysOther(user, seen) || Math.abs(nowMs - seen.timeMs) < rewriteMs)) return;
    if (this.#waiting.size >= this.#maxUsers) return; // it is seen again at the next call
    this.#remember(user, { ...seen, ...nameOf(user), timeMs: nowMs });
    this.#waiting.set(user.userId, user);
    this.#writing ??= this.#write();
  }

  /** Resolves when all who were seen until now are written, or could not be. */
  async flush(): Promise<void> {
    while (this.#writing) await this.#writing;
  }

  #remember({ userId }: UserCaller, seen: Seen): void {
    const [oldest] = this.#seen.keys();
    if (this.#seen.size >= this.#maxUsers && oldest !== undefined && !this.#seen.has(userId))
      this.#seen.delete(oldest);
    this.#seen.set(userId, seen);
  }

  async #write(): Promise<void> {
    await Promise.resolve(); // the call goes on first
    for (const [userId, user] of this.#waiting) {
      this.#waiting.delete(userId);
      await this.#writeOne(user);
    }
    this.#writing = undefined; // at once: whoever is seen from here on is not in the loop
  }

  async #writeOne(user: UserCaller): Promise<void> {
    const { store, clock } = this.#options;
    const { userId, issuer, subject } = user;
    try {
      await store.see({ userId, issuer, subject, ...nameOf(user) }, new Date(clock.now()));
      this.#isFailing = false;
    } catch (error) {
      this.#giveUp(userId, error);
    }
  }

  /** Of all who wait: a database that did not take one will hardly take the next. */
  #giveUp(userId: string, error: unknown): void {
    for (const forgotten of [userId, ...this.#waiting.keys()]) this.#seen.delete(forgotten);
    this.#waiting.clear();
    if (!this.#isFailing) this.#options.onProblem("users who call for the first time cannot be kept", error);
    this.#isFailing = true;
  }
}

function nameOf({ displayName, email }: UserCaller): { displayName?: string; email?: string } {
  return { ...(displayName !== undefined && { displayName }), ...(email !== undefined && { email }) };
}

/** A login that says less than another one says nothing new. */
function saysOther({ displayName, email }: UserCaller, seen: Seen): boolean {
  return (
    (displayName !== undefined && displayName !== seen.displayName) ||
    (email !== undefined && email !== seen.email)
  );
}
