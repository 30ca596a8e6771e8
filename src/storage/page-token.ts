/**
 * Keyset paging over (create_time, id), newest first, or over a number, oldest first. The token says where the page before
 * ended, so rows that are added meanwhile move nothing. It is base64url JSON and trusted for nothing: a forged one only
 * moves within a list whose filter the caller was allowed.
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
  return { items, next: writeToken([list, createTime.getTime(), id]) };
}

/** Undefined for the first page. Throws StorageError `bad-page-token`. */
export function readPageToken(list: string, page: PageRequest): Position | undefined {
  if (page.after === undefined) return undefined;
  const token = readToken(page.after);
  if (token?.length === 3 && token[0] === list) {
    const [, time, id] = token;
    const createTime = new Date(typeof time === "number" ? time : NaN);
    if (!Number.isNaN(createTime.getTime()) && typeof id === "string") return { createTime, id };
  }
  throw badToken();
}

/** As toPage, for a list that is ordered by a number that no two rows share. */
export function toSequencePage<T>(
  list: string,
  page: PageRequest,
  found: readonly T[],
  at: (item: T) => number,
): Page<T> {
  const items = found.slice(0, rowsToFetch(page) - 1);
  const last = items.at(-1);
  if (last === undefined || items.length === found.length) return { items };
  return { items, next: writeToken([list, at(last)]) };
}

/** As readPageToken, for a list that toSequencePage cuts into pages. */
export function readSequenceToken(list: string, page: PageRequest): number | undefined {
  if (page.after === undefined) return undefined;
  const token = readToken(page.after);
  if (token?.length === 2 && token[0] === list && Number.isSafeInteger(token[1])) return token[1] as number;
  throw badToken();
}

/** The rows after that position, for `where`; the same columns order the list, both descending. */
export function olderThan(idColumn: string, { createTime, id }: Position): RawBuilder<boolean> {
  return sql<boolean>`(create_time, ${sql.ref(idColumn)}) < (${createTime}, ${id})`;
}

function writeToken(parts: readonly unknown[]): string {
  return Buffer.from(JSON.stringify(parts)).toString("base64url");
}

/** Undefined for what is no token at all. */
function readToken(text: string): readonly unknown[] | undefined {
  try {
    const token: unknown = JSON.parse(Buffer.from(text, "base64url").toString("utf8"));
    return Array.isArray(token) ? (token as readonly unknown[]) : undefined;
  } catch {
    return undefined;
  }
}

function badToken(): StorageError {
  return new StorageError("bad-page-token", "the page token is not one that this list gave");
}
