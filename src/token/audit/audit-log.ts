/**
 * The audit log: takes events into memory at once and writes them in batches, so that no call waits for the database unless it
 * asks to (`flush`). While the database is away events are kept, up to a number, and tried again; what there was no room for
 * is counted, and the log itself says how many it was: `audit.lost`. An event that was recorded and not yet written is lost
 * when the process is killed: of the last moment (`lingerMs`), or since the database went away.
 */
import { sleep } from "../../clock.ts";
import type { Clock } from "../../clock.ts";
import { serverActor } from "./audit-event.ts";
import type { AuditEntry, AuditRecord, AuditSink, ChainLink } from "./audit-event.ts";
import type { AuditStore } from "./audit-store.ts";
import { linkEvents } from "./link-events.ts";
import { nameSubject } from "./name-subject.ts";
import { Retention } from "./retention.ts";
import { toRecord } from "./to-record.ts";

export interface AuditLogOptions {
  readonly store: AuditStore;
  readonly clock: Clock;
  /** Events that are older are removed, by and by. Absent: they stay for ever. */
  readonly retentionDays?: number;
  /** How long an event waits for others to be written with it, in milliseconds. Default 100: at most ten writes a second. */
  readonly lingerMs?: number;
  /** Events kept while the database is away. Default 10,000: 35 MB at most. */
  readonly maxQueued?: number;
  /** Something an operator should see. */
  readonly onProblem: (message: string, error: unknown) => void;
}

/** Some of what was recorded could not be kept. What the log says of it is written when the database is back. */
export class AuditLostError extends Error {
  override readonly name = "AuditLostError";
  readonly code = "lost";
  readonly retryable = false;
}

/** What is written together. It stays the same until it is written: the database may have committed it and not answered. */
interface Batch {
  readonly records: readonly AuditRecord[];
  /** The end of the last attempt. */
  attempted?: ChainLink;
}

interface Loss {
  count: number;
  readonly sinceMs: number;
  untilMs: number;
}

/** PGlite takes some 10 ms for so many, and nothing else in this process goes on meanwhile. */
const maxBatch = 100;
const firstRetryMs = 250;
const maxRetryMs = 30_000;

export class AuditLog implements AuditSink {
  readonly #options: Required<Omit<AuditLogOptions, "retentionDays">>;
  readonly #retention: Retention | undefined;
  readonly #queue: AuditRecord[] = [];
  #batch: Batch | undefined;
  #loss: Loss | undefined;
  /** Of all records that found room, in the order in which they came. */
  #recordedCount = 0;
  #writtenCount = 0;
  #writing: Promise<void> | undefined;
  #cancelTimer: (() => void) | undefined;
  #failures = 0;
  #isStopped = false;

  constructor({ retentionDays, ...options }: AuditLogOptions) {
    this.#options = { lingerMs: 100, maxQueued: 10_000, ...options };
    this.#retention = retentionDays === undefined ? undefined : new Retention({ ...options, retentionDays });
  }

  /** Begins to remove what is too old, where it is not to stay. Events can be recorded before. */
  start(): void {
    this.#retention?.start();
  }

  /** Tries for so long to write what is left; tells `onProblem` how many events it could not. What comes later is lost too. */
  async stop(withinMs: number): Promise<void> {
    const { clock, onProblem } = this.#options;
    this.#isStopped = true;
    this.#cancelTimer?.();
    const isOver = new AbortController();
    const cancel = clock.after(withinMs, () => isOver.abort());
    await Promise.race([this.#writeUntil(isOver.signal), aborted(isOver.signal)]);
    cancel();
    isOver.abort();
    const lost = this.#waiting + (this.#loss?.count ?? 0);
    if (lost > 0) onProblem(`the server stops, and ${lost} audit events could not be written`, undefined);
  }

  record(entry: AuditEntry): void {
    const { clock, maxQueued, lingerMs, onProblem } = this.#options;
    if (this.#isStopped) {
      onProblem(`the server stops, and an audit event came too late: ${entry.action}`, undefined);
    } else if (this.#loss || this.#waiting >= maxQueued) {
      this.#lose(clock.now());
    } else {
      this.#enqueue(entry);
      this.#schedule(lingerMs);
    }
  }

  async flush(): Promise<void> {
    const untilCount = this.#recordedCount;
    const hasLost = this.#loss !== undefined;
    while (this.#writtenCount < untilCount) await this.#write();
    if (hasLost)
      throw new AuditLostError("audit events were lost: there were too many while they could not be written");
  }

  get #waiting(): number {
    return this.#recordedCount - this.#writtenCount;
  }

  #enqueue(entry: AuditEntry): void {
    this.#queue.push(toRecord(entry, this.#options.clock.now()));
    this.#recordedCount += 1;
  }

  /** The newest go: what came first is what the later ones may have wanted to push out. */
  #lose(nowMs: number): void {
    if (!this.#loss)
      this.#options.onProblem("audit events are being lost: too many wait to be written", undefined);
    this.#loss ??= { count: 0, sinceMs: nowMs, untilMs: nowMs };
    this.#loss.count += 1;
    this.#loss.untilMs = nowMs;
  }

  /** Nothing while a timer is set: the events go with what it is for. */
  #schedule(ms: number): void {
    if (this.#cancelTimer || this.#writing || this.#isStopped) return;
    this.#cancelTimer = this.#options.clock.after(ms, () => {
      this.#write().catch(() => undefined); // told by then, and to be tried again
    });
  }

  /** One attempt to write one batch, or the one under way. Rejects with what the store does. */
  #write(): Promise<void> {
    return (this.#writing ??= this.#writeBatch());
  }

  async #writeBatch(): Promise<void> {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    const batch = (this.#batch ??= { records: this.#queue.splice(0, maxBatch) });
    try {
      await this.#append(batch);
    } catch (error) {
      this.#failed(error);
      throw error;
    }
    this.#written(batch);
  }

  async #append(batch: Batch): Promise<void> {
    await this.#options.store.append((head) => {
      const events = linkEvents(head, batch.records);
      const last = events.at(-1);
      if (last) batch.attempted = last;
      return events;
    }, batch.attempted);
  }

  #failed(error: unknown): void {
    const retryMs = Math.min(firstRetryMs * 2 ** this.#failures, maxRetryMs);
    this.#failures += 1;
    if (this.#failures === 1)
      this.#options.onProblem("audit events cannot be written; they are kept, and tried again", error);
    this.#writing = undefined;
    this.#schedule(retryMs);
  }

  #written({ records }: Batch): void {
    this.#writtenCount += records.length;
    this.#batch = undefined;
    this.#writing = undefined;
    this.#failures = 0;
    if (this.#loss) this.#tellLoss(this.#loss);
    if (this.#waiting > 0) this.#schedule(this.#waiting < maxBatch ? this.#options.lingerMs : 0);
  }

  #tellLoss({ count, sinceMs, untilMs }: Loss): void {
    this.#loss = undefined;
    const times = { from: new Date(sinceMs).toISOString(), to: new Date(untilMs).toISOString() };
    const subject = nameSubject({ events: count, ...times });
    this.#enqueue({ actor: serverActor, action: "audit.lost", subject, outcome: "queue_full" });
  }

  async #writeUntil(isOver: AbortSignal): Promise<void> {
    const pruned = this.#retention?.stop();
    while (this.#waiting > 0 && !isOver.aborted) {
      try {
        await this.#write();
      } catch {
        await sleep(this.#options.clock, firstRetryMs, isOver).catch(() => undefined); // the end of the time
      }
    }
    await pruned;
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}
