/**
 * Keeps a flood of the same from filling the audit log: what repeats within a minute is counted, and told at the minute's end
 * in one event with the number, `signature ×137`. The first is written at once. So of entries that say the same there is at
 * most one event a minute, and together they say how many it were.
 */
import type { Clock } from "../../clock.ts";
import type { AuditEntry, AuditSink } from "./audit-event.ts";

export interface RepeatsOptions {
  readonly sink: Pick<AuditSink, "record">;
  readonly clock: Clock;
  /**
   * Entries of one actor that differ and are counted at a time. Of further ones subject and address are left out, so that
   * there are few of them. Default 100. All whose credentials were refused are one actor.
   */
  readonly maxOfActor?: number;
}

interface Repeated {
  readonly entry: AuditEntry;
  /** Since the last event. */
  count: number;
  cancelTimer: () => void;
}

const everyMs = 60_000;

export class Repeats {
  readonly #options: Required<RepeatsOptions>;
  readonly #repeated = new Map<string, Repeated>();
  /** Entries in `#repeated` with a subject or an address, by actor. */
  readonly #ofActor = new Map<string, number>();
  #isStopped = false;

  constructor(options: RepeatsOptions) {
    this.#options = { maxOfActor: 100, ...options };
  }

  /** Records the entry, or counts it. Never throws. */
  fold(entry: AuditEntry): void {
    const { sink, maxOfActor } = this.#options;
    if (this.#isStopped) {
      sink.record(entry);
      return;
    }
    if (this.#count(entry)) return;
    const isOneTooMany = (this.#ofActor.get(entry.actor) ?? 0) >= maxOfActor;
    const told = isOneTooMany ? withoutDetails(entry) : entry;
    if (isOneTooMany && this.#count(told)) return;
    sink.record(told);
    this.#watch(told);
  }

  /** Records what was counted. What is folded later is recorded as it comes. */
  stop(): void {
    this.#isStopped = true;
    for (const [key, { entry, count, cancelTimer }] of this.#repeated) {
      cancelTimer();
      this.#forget(key, entry);
      if (count > 0) this.#record(entry, count);
    }
  }

  #count(entry: AuditEntry): boolean {
    const repeated = this.#repeated.get(keyOf(entry));
    if (!repeated) return false;
    repeated.count += 1;
    return true;
  }

  #watch(entry: AuditEntry): void {
    const key = keyOf(entry);
    const startTimer = () => this.#options.clock.after(everyMs, () => endMinute());
    const repeated: Repeated = { entry, count: 0, cancelTimer: startTimer() };
    const endMinute = () => {
      if (repeated.count === 0) {
        this.#forget(key, entry);
        return;
      }
      this.#record(entry, repeated.count);
      repeated.count = 0;
      repeated.cancelTimer = startTimer();
    };
    this.#repeated.set(key, repeated);
    if (hasDetails(entry)) this.#ofActor.set(entry.actor, (this.#ofActor.get(entry.actor) ?? 0) + 1);
  }

  #forget(key: string, entry: AuditEntry): void {
    this.#repeated.delete(key);
    if (!hasDetails(entry)) return;
    const left = (this.#ofActor.get(entry.actor) ?? 0) - 1;
    if (left <= 0) this.#ofActor.delete(entry.actor);
    else this.#ofActor.set(entry.actor, left);
  }

  #record(entry: AuditEntry, count: number): void {
    this.#options.sink.record({ ...entry, outcome: `${entry.outcome} ×${count}` });
  }
}

function withoutDetails({ actor, action, outcome }: AuditEntry): AuditEntry {
  return { actor, action, subject: "", outcome };
}

function hasDetails({ subject, peerAddress = "" }: AuditEntry): boolean {
  return subject !== "" || peerAddress !== "";
}

function keyOf({ actor, action, subject, outcome, peerAddress }: AuditEntry): string {
  return JSON.stringify([actor, action, subject, outcome, peerAddress]);
}
