/**
 * Keyset paging over (create_time, id), newest first. The token says where the page before ended, so rows that are
 * added meanwhile move nothing. It is base64url JSON and trusted for nothing: a forged one only moves within a list
 * whose filter the caller was allowed.
 */
import { sql } from "kysely";
import type { RawBuilder } from "kysely";
import type { Page, PageRequest } from "../page.ts";
import { StorageError } from "./storage-error.ts";

export interface Position {
  readonly createTime: Date;
  readonly id: string;
}

/** Rows to fetch for a page: one more than asked, which tells whether another page follows. */
export function rowsToFetch(page: PageRequest): number {
  return Math.max(1, Math.trunc(page.size)) + 1;
}

export function toPage<T>(
  list: string,
  page: PageRequest,
  found: readonly T[],
  at: (item: T) => Position,
): Page<T> {
  const items = found.slice(0, rowsToFetch(page) - 1);
  const last = items.at(-1);
  if (last === undefined || items.length === found.length) return { items };
  const { createTime, id } = at(last);
  return { items, next: Buffer.from(JSON.stringify([list, createTime.getTime(), id])).toString("base64url") };
}

/** Undefined for the first page. Throws StorageError `bad-page-token`. */
export function readPageToken(list: string, page: PageRequest): Position | undefined {
  if (page.after === undefined) return undefined;
  let token: unknown;
  try {
    token = JSON.parse(Buffer.from(page.after, "base64url").toString("utf8"));
  } catch {
    token = undefined;
  }
  if (Array.isArray(token) && token.length === 3 && token[0] === list) {
    const [, time, id] = token as unknown[];
    const createTime = new Date(typeof time === "number" ? time : NaN);
    if (!Number.isNaN(createTime.getTime()) && typeof id === "string") return { createTime, id };
  }
  throw new StorageError("bad-page-token", "the page token is not one that this list gave");
}

/** The rows after that position, for `where`; the same columns order the list, both descending. */
export function olderThan(idColumn: string, { createTime, id }: Position): RawBuilder<boolean> {
  return sql<boolean>`(create_time, ${sql.ref(idColumn)}) < (${createTime}, ${id})`;
}
