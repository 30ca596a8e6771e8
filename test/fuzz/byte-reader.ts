/** Decisions read from bytes, so that a fuzzer which changes bytes changes decisions. When they are used up, all are 0. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get isEmpty(): boolean {
    return this.#at >= this.#bytes.length;
  }

  byte(): number {
    return this.#bytes[this.#at++] ?? 0;
  }

  /** 0 to `count` - 1. */
  below(count: number): number {
    return count <= 1 ? 0 : ((this.byte() << 8) | this.byte()) % count;
  }

  pick<T>(values: readonly T[]): T {
    return values[this.below(values.length)] as T;
  }

  text(maxLength: number): string {
    const length = this.below(maxLength + 1);
    return Array.from({ length }, () => String.fromCharCode(this.byte())).join("");
  }
}
