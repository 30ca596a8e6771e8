/**
 * Judges a chain of audit events by what is in it: computes every hash again and follows every link. Finds what was changed,
 * added, taken away or put elsewhere. What it cannot find by itself is a chain that was cut at its end, or rewritten from some
 * event on by somebody who computed all hashes anew: for that, a place in the chain must have been noted outside of it.
 */
import { chainStart } from "./audit-event.ts";
import type { AuditEvent, ChainLink } from "./audit-event.ts";
import { hashEvent } from "./hash-event.ts";
import { readPruneEvent } from "./prune-event.ts";

export interface ExpectedChain {
  /** Places in the chain that were noted earlier and must still be there. Default none. */
  readonly noted?: readonly ChainLink[];
}

/**
 * - `changed`: the event's hash is not that of what it says
 * - `detached`: it does not follow on the one before, which is another than it was; for event 1: it does not begin a chain
 * - `misplaced`: it comes after an event with the same or a higher number, so it was moved or is there twice
 * - `missing`: events from `sequence` to `throughSequence` are not there, and no event says that they were pruned
 * - `rewritten`: the event with the noted number is another than was noted
 * - `cut`: the chain ends before the noted place
 * - `pruned`: the noted place was pruned, so nothing can be said of it
 */
export type ChainFault =
  | { readonly kind: "changed" | "detached" | "rewritten" | "pruned"; readonly sequence: number }
  | { readonly kind: "misplaced"; readonly sequence: number; readonly afterSequence: number }
  | { readonly kind: "missing"; readonly sequence: number; readonly throughSequence: number }
  | { readonly kind: "cut"; readonly sequence: number; readonly headSequence: number };

export interface ChainVerdict {
  /** Events that were read. */
  readonly count: number;
  /** Events up to this one were pruned, as an event of the chain says; absent: none. */
  readonly prunedThrough?: number;
  /** The event with the highest number; `chainStart` when there is none. To be noted outside. */
  readonly head: ChainLink;
  /** In the order of their numbers, the first hundred. Empty: the chain is whole. */
  readonly faults: readonly ChainFault[];
}

const maxFaults = 100;

/** The events as they are listed, oldest first. Rejects only when `events` does. */
export async function verifyChain(
  events: AsyncIterable<AuditEvent> | Iterable<AuditEvent>,
  { noted = [] }: ExpectedChain = {},
): Promise<ChainVerdict> {
  const reading = new ChainReading(noted);
  for await (const event of events) reading.read(event);
  return reading.end();
}

interface Gap {
  readonly firstSequence: number;
  /** The last of the events that are not there, by what the one after it says. */
  readonly last: ChainLink;
}

class ChainReading {
  /** What was noted and not come by yet. */
  readonly #noted: Set<ChainLink>;
  readonly #faults: ChainFault[] = [];
  readonly #gaps: Gap[] = [];
  /** The ends of what was pruned, by the events that say so. */
  readonly #pruned: ChainLink[] = [];
  readonly #misplaced = new Set<number>();
  #head = chainStart;
  #count = 0;

  constructor(noted: readonly ChainLink[]) {
    this.#noted = new Set(noted);
  }

  read(event: AuditEvent): void {
    const { sequence } = event;
    this.#count += 1;
    if (isSame(event.hash, hashEvent(event))) this.#learnPruned(event);
    else this.#fault({ kind: "changed", sequence });
    this.#compareNoted(event);
    if (sequence <= this.#head.sequence) {
      this.#misplaced.add(sequence);
      this.#fault({ kind: "misplaced", sequence, afterSequence: this.#head.sequence });
      return;
    }
    if (sequence > this.#head.sequence + 1) {
      const last = { sequence: sequence - 1, hash: event.previousHash };
      this.#gaps.push({ firstSequence: this.#head.sequence + 1, last });
    } else if (!isSame(event.previousHash, this.#head.hash)) {
      this.#fault({ kind: "detached", sequence });
    }
    this.#head = { sequence, hash: event.hash };
  }

  end(): ChainVerdict {
    const pruned = this.#gaps.filter((gap) => this.#isPruned(gap));
    for (const gap of this.#gaps.filter((gap) => !pruned.includes(gap) && !this.#isElsewhere(gap)))
      this.#fault({
        kind: "missing",
        sequence: gap.firstSequence,
        throughSequence: gap.last.sequence,
      });
    for (const noted of this.#noted) this.#lookFor(noted, pruned);
    const prunedThrough = pruned.at(-1)?.last.sequence;
    return {
      count: this.#count,
      ...(prunedThrough !== undefined && { prunedThrough }),
      head: this.#head,
      faults: this.#faults.toSorted((a, b) => a.sequence - b.sequence).slice(0, maxFaults),
    };
  }

  #learnPruned(event: AuditEvent): void {
    const through = readPruneEvent(event);
    if (through) this.#pruned.push(through);
  }

  /** Also in the middle: the beginning may be pruned while the chain is read, page by page. */
  #isPruned({ last }: Gap): boolean {
    return this.#pruned.some((through) => isSamePlace(through, last));
  }

  /** Whether all that is not in its place was found in another. */
  #isElsewhere({ firstSequence, last }: Gap): boolean {
    let sequence = firstSequence;
    while (sequence <= last.sequence && this.#misplaced.has(sequence)) sequence += 1;
    return sequence > last.sequence;
  }

  #compareNoted(event: AuditEvent): void {
    for (const noted of this.#noted) {
      if (noted.sequence !== event.sequence) continue;
      this.#noted.delete(noted);
      if (!isSamePlace(event, noted)) this.#fault({ kind: "rewritten", sequence: event.sequence });
    }
  }

  /** Of what was not come by. Where it is missing, that is a fault already. */
  #lookFor(noted: ChainLink, pruned: readonly Gap[]): void {
    const { sequence } = noted;
    const headSequence = this.#head.sequence;
    if (sequence > headSequence) this.#fault({ kind: "cut", sequence, headSequence });
    const gap = pruned.find(
      ({ firstSequence, last }) => firstSequence <= sequence && sequence <= last.sequence,
    );
    if (gap?.last.sequence === sequence) {
      if (!isSamePlace(gap.last, noted)) this.#fault({ kind: "rewritten", sequence });
    } else if (gap) {
      this.#fault({ kind: "pruned", sequence });
    }
  }

  #fault(fault: ChainFault): void {
    this.#faults.push(fault);
  }
}

function isSamePlace(one: ChainLink, other: ChainLink): boolean {
  return one.sequence === other.sequence && isSame(one.hash, other.hash);
}

function isSame(one: Uint8Array, other: Uint8Array): boolean {
  return Buffer.compare(one, other) === 0;
}
