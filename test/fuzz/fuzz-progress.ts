/** What the thread that fuzzes and the one that watches it have in common. */

export type FuzzWork =
  | { readonly kind: "random"; readonly seed: number; readonly seconds: number }
  | { readonly kind: "data"; readonly data: Uint8Array };

export interface FuzzWorkerData {
  readonly work: FuzzWork;
  readonly progress: SharedArrayBuffer;
}

export interface FuzzFinding {
  readonly problem: string;
  readonly data: Uint8Array;
}

/** Longer data is not told. */
const maxDataBytes = 64 * 1024;
const headerBytes = 8;

export function makeProgress(): SharedArrayBuffer {
  return new SharedArrayBuffer(headerBytes + maxDataBytes);
}

export class FuzzProgress {
  /** How many are done, and the length of the one under way. */
  readonly #header: Int32Array;
  readonly #data: Uint8Array;

  constructor(shared: SharedArrayBuffer) {
    this.#header = new Int32Array(shared, 0, 2);
    this.#data = new Uint8Array(shared, headerBytes);
  }

  get doneCount(): number {
    return Atomics.load(this.#header, 0);
  }

  /** What was begun last. */
  get underWay(): Uint8Array {
    return this.#data.slice(0, Atomics.load(this.#header, 1));
  }

  begin(data: Uint8Array): void {
    const told = data.subarray(0, maxDataBytes);
    this.#data.set(told);
    Atomics.store(this.#header, 1, told.length);
  }

  done(): void {
    Atomics.add(this.#header, 0, 1);
  }
}
