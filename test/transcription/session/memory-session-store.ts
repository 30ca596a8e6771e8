/** A session store in memory that can be told to stumble; for what a session does when its database does. */
import type {
  NewSession,
  SessionCommit,
  SessionEnd,
  SessionStore,
  StoredSegment,
} from "../../../src/transcription/session-store.ts";

export interface MemorySessionStore extends SessionStore {
  readonly created: NewSession[];
  readonly committed: StoredSegment[];
  committedThrough(): number;
  readonly ends: SessionEnd[];
  /** What every call rejects with, until it is taken back. */
  failWith: Error | undefined;
  /** Awaited in every commit before it counts. */
  beforeCommit: () => Promise<unknown>;
}

/** As storage's own error looks to a session. */
export class FakeStorageError extends Error {
  override readonly name = "StorageError";
  readonly code: string;
  readonly retryable: boolean;
  constructor(code: "unavailable" | "fenced" | "internal") {
    super(code);
    this.code = code;
    this.retryable = code === "unavailable";
  }
}

export function createMemorySessionStore(): MemorySessionStore {
  let through = 0;
  const stumble = () => {
    if (store.failWith) throw store.failWith;
  };
  const store: MemorySessionStore = {
    created: [],
    committed: [],
    committedThrough: () => through,
    ends: [],
    failWith: undefined,
    beforeCommit: () => Promise.resolve(),
    async create(session) {
      stumble();
      store.created.push(session);
    },
    async commit(_sessionId, _epoch, commit: SessionCommit) {
      stumble();
      await store.beforeCommit();
      store.committed.push(...commit.segments);
      through = commit.committedThrough;
    },
    async end(_sessionId, _epoch, end) {
      stumble();
      store.ends.push(end);
    },
    touch: () => Promise.resolve(),
    endAbandoned: () => Promise.resolve(0),
    get: () => Promise.resolve(undefined),
    list: () => Promise.resolve({ items: [] }),
    segments: () => Promise.resolve(store.committed),
  };
  return store;
}
