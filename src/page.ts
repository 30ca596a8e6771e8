/** Keyset paging, as every list of Parley has it. */

export interface PageRequest {
  /** How many at most. */
  readonly size: number;
  /** `next` of the page before; absent: the first page. Opaque: only the store that made it can read it. */
  readonly after?: string;
}

export interface Page<T> {
  readonly items: readonly T[];
  /** For the next page; absent: this was the last. */
  readonly next?: string;
}
