/**
 * A session store in memory that keeps the contract of the real one, epochs and windows included, and can be told to stumble:
 * for what sessions do when their database does, and for tests that need thousands of them.
 */
import type {
  AudioGap,
  NewSession,
  SessionEnd,
  SessionInterruption,
  SessionOpening,
  SessionStore,
  StoredSegment,
  StoredSession,
} from "../../../src/transcription/session-store.ts";

export interface MemorySessionStore extends SessionStore {
  readonly created: NewSession[];
  /** Finals of all sessions, in the order of their commits. */
  readonly committed: StoredSegment[];
  readonly ends: SessionEnd[];
  readonly interruptions: SessionInterruption[];
  /** Of the session that was created last. */
  committedThrough(): number;
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

interface Row {
  session: StoredSession;
  opening: SessionOpening;
  readonly segments: StoredSegment[];
  readonly gaps: AudioGap[];
  interruptedAt: number;
}

export function createMemorySessionStore(now: () => number = () => 0): MemorySessionStore {
  const rows = new Map<string, Row>();
  const stumble = () => {
    if (store.failWith) throw store.failWith;
  };
  const owned = (sessionId: string, epoch: number): Row => {
    const row = rows.get(sessionId);
    if (row?.session.epoch !== epoch || row.session.state === "ended") throw new FakeStorageError("fenced");
    return row;
  };
  const store: MemorySessionStore = {
    created: [],
    committed: [],
    ends: [],
    interruptions: [],
    committedThrough: () => rows.get(store.created.at(-1)?.sessionId ?? "")?.session.committedThrough ?? 0,
    failWith: undefined,
    beforeCommit: () => Promise.resolve(),
    async create(session, opening) {
      stumble();
      store.created.push(session);
      rows.set(session.sessionId, {
        session: { ...session, state: "active", epoch: 1, committedThrough: 0, durationMs: 0 },
        opening: opening ?? { resumeTokenHash: new Uint8Array(0), options: noOptions, sequenceCeiling: 0 },
        segments: [],
        gaps: [],
        interruptedAt: 0,
      });
    },
    async commit(sessionId, epoch, commit) {
      stumble();
      await store.beforeCommit();
      const row = owned(sessionId, epoch);
      for (const segment of commit.segments) {
        if (row.segments.some((known) => known.segmentIndex === segment.segmentIndex)) continue;
        row.segments.push(segment);
        store.committed.push(segment);
      }
      row.gaps.push(...(commit.gaps ?? []));
      const committedThrough = Math.max(row.session.committedThrough, commit.committedThrough);
      row.session = { ...row.session, ...commit.engine, committedThrough };
      const sequenceCeiling = Math.max(row.opening.sequenceCeiling, commit.sequenceCeiling ?? 0);
      row.opening = { ...row.opening, sequenceCeiling };
    },
    async end(sessionId, epoch, end) {
      stumble();
      const row = owned(sessionId, epoch);
      row.session = { ...row.session, state: "ended", endReason: end.reason, endTime: end.endTime };
      row.interruptedAt = now();
      store.ends.push(end);
    },
    async interrupt(sessionId, epoch, interruption) {
      stumble();
      const row = owned(sessionId, epoch);
      row.session = { ...row.session, state: "interrupted", endReason: interruption.reason };
      row.opening = { ...row.opening, sequenceCeiling: interruption.sequence };
      row.interruptedAt = now();
      store.interruptions.push(interruption);
    },
    async takeOver(request) {
      stumble();
      const row = rows.get(request.sessionId);
      const isTheirs =
        row !== undefined &&
        Buffer.compare(row.opening.resumeTokenHash, request.resumeTokenHash) === 0 &&
        row.session.userId === request.userId &&
        row.session.roomName === request.roomName &&
        row.session.participantIdentity === request.participantIdentity;
      if (!isTheirs) return { outcome: "unknown" };
      const isInTime = row.session.state === "active" || now() - row.interruptedAt <= request.windowMs;
      if (row.session.state === "ended" || !isInTime) {
        const isCompleted = row.session.endReason === "completed" && isInTime;
        return isCompleted
          ? { outcome: "completed", session: row.session, opening: row.opening }
          : { outcome: "over" };
      }
      const said = request.format ?? {};
      const differs =
        (said.encoding ?? row.opening.options.encoding) !== row.opening.options.encoding ||
        (said.sampleRateHz ?? row.session.sampleRateHz) !== row.session.sampleRateHz;
      if (differs) return { outcome: "other-format", session: row.session, opening: row.opening };
      const { endReason: _, ...session } = row.session;
      row.session = { ...session, state: "active", epoch: session.epoch + 1 };
      const sequenceCeiling = row.opening.sequenceCeiling + request.reservedNumbers;
      row.opening = { ...row.opening, sequenceCeiling };
      return { outcome: "taken", session: row.session, opening: row.opening };
    },
    touch: () => Promise.resolve(),
    epochs: async (sessionIds) =>
      new Map(sessionIds.flatMap((id) => [[id, rows.get(id)?.session.epoch ?? 0] as const])),
    interruptAbandoned: () => Promise.resolve(0),
    endInterrupted: () => Promise.resolve(0),
    get: async (sessionId) => rows.get(sessionId)?.session,
    list: () => Promise.resolve({ items: [] }),
    segments: async (sessionId) =>
      [...(rows.get(sessionId)?.segments ?? [])].sort((a, b) => a.segmentIndex - b.segmentIndex),
    gaps: async (sessionId) => rows.get(sessionId)?.gaps ?? [],
  };
  return store;
}

const noOptions: SessionOpening["options"] = {
  encoding: "linear16",
  interimResults: true,
  analyzeOnEnd: false,
  keyterms: [],
  diarize: false,
};
