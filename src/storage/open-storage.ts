/**
 * Opens the database, PostgreSQL or PGlite, brings its tables up to date, and hands out the stores. The only file of
 * storage that others import. Every store rejects with StorageError and with nothing else; none retries.
 */
import type { Logger } from "pino";
import type { UserModuleStore } from "../analysis/user-module-store.ts";
import type { InterviewStore } from "../analysis/interview-store.ts";
import type { Clock } from "../clock.ts";
import type { Notices } from "../notices.ts";
import type { ApiKeyStore } from "../token/api-keys/api-key-store.ts";
import type { AuditStore } from "../token/audit/audit-store.ts";
import type { RefreshStore } from "../token/refresh/refresh-store.ts";
import type { RevocationStore } from "../token/revocation/revocation-store.ts";
import type { RoomStore } from "../token/rooms/room-store.ts";
import type { UserStore } from "../token/users/user-store.ts";
import type { SessionStore } from "../transcription/session-store.ts";
import type { SessionEventLog } from "../transcription/watch/session-event-log.ts";
import { apiKeyStore } from "./api-key-store.ts";
import { auditStore } from "./audit-store.ts";
import type { SqlResult } from "./database-connection.ts";
import { Gate } from "./gate.ts";
import { databaseHealth } from "./health.ts";
import type { StorageHealth } from "./health.ts";
import { interviewStore } from "./interview-store.ts";
import { refreshStore } from "./refresh-store.ts";
import { revocationStore } from "./revocation-store.ts";
import { roomStore } from "./room-store.ts";
import { sessionEventLog } from "./session-event-log.ts";
import { sessionStore } from "./session-store.ts";
import { toStorageError } from "./storage-error.ts";
import { userModuleStore } from "./user-module-store.ts";
import { userStore } from "./user-store.ts";

export { StorageError } from "./storage-error.ts";
export type { StorageErrorCode } from "./storage-error.ts";
export type { StorageHealth } from "./health.ts";

export interface StorageOptions {
  /** PostgreSQL. Absent: PGlite in `dataDir`. */
  readonly url?: string;
  /**
   * Redis, over which the replicas that share a PostgreSQL hear each other. Absent: PostgreSQL itself. Without effect on
   * PGlite, which one process alone has.
   */
  readonly redisUrl?: string;
  /** For PGlite: the folder above its own, made when missing; "memory:" is a throw-away database. */
  readonly dataDir: string;
  readonly log: Logger;
  /** Connections to PostgreSQL for the stores. Default 10; each replica has so many. */
  readonly poolSize?: number;
  /** Longest wait for PostgreSQL, and for Redis, before a call rejects as `unavailable`, in milliseconds. Default 5000. */
  readonly timeoutMs?: number;
  /** Whether to bring the tables up to date. Default true; false only to look whether the database can be used. */
  readonly migrate?: boolean;
  /** By which notices are checked and tried again. Default the real one. */
  readonly clock?: Clock;
}

export interface Storage {
  readonly kind: "pglite" | "postgres";
  readonly sessions: SessionStore;
  readonly sessionEvents: SessionEventLog;
  readonly apiKeys: ApiKeyStore;
  readonly rooms: RoomStore;
  readonly revocations: RevocationStore;
  readonly refresh: RefreshStore;
  readonly users: UserStore;
  readonly interviews: InterviewStore;
  readonly userModules: UserModuleStore;
  readonly audit: AuditStore;
  /** For pg-boss: its `db` option. */
  readonly jobsDatabase: { executeSql(text: string, values?: unknown[]): Promise<SqlResult> };
  /** Between all processes that have this database open. `publish` rejects with StorageError, as a store does. */
  readonly notices: Notices;
  /** Asks the database; answers within 2 s, and never rejects. */
  health(): Promise<StorageHealth>;
  /**
   * Only where notices go over Redis: asks Redis, and is not ready either while other replicas cannot be heard. Answers
   * within 2 s, and never rejects. The stores work without Redis, so a server need not stop serving for it.
   */
  readonly redisHealth?: () => Promise<StorageHealth>;
  /** Waits for the calls under way; a later call rejects as `unavailable`. Safe to repeat. */
  close(): Promise<void>;
}

/** Rejects with StorageError: `unavailable`, `locked`, `corrupt`, `disk-full`, `internal`. */
export async function openStorage(options: StorageOptions): Promise<Storage> {
  try {
    return await open(options);
  } catch (error) {
    throw toStorageError(error);
  }
}

/** Whether replicas could hear each other over this Redis: sends a notice that must come back. Never rejects. */
export async function checkRedis(url: string, timeoutMs: number): Promise<StorageHealth> {
  return (await import("./notices-redis.ts")).tryRedis(url, timeoutMs);
}

async function open({ url, dataDir, ...rest }: StorageOptions): Promise<Storage> {
  // Each driver is loaded only where it is used: PGlite alone is 9 MB of code.
  const database =
    url === undefined
      ? await (
          await import("./pglite.ts")
        ).openPglite(dataDir, { log: rest.log, migrate: rest.migrate ?? true })
      : await (await import("./postgres.ts")).openPostgres({ url, ...rest });
  const gate = new Gate();
  const appendListeners = new Set<(roomNames: readonly string[]) => void>();
  const onAppended = (roomNames: readonly string[]) => {
    for (const listener of [...appendListeners]) listener(roomNames);
  };
  return {
    kind: database.kind,
    sessions: gate.around(sessionStore(database.db, onAppended)),
    sessionEvents: {
      ...gate.around(sessionEventLog(database.db)),
      onAppended(listener) {
        appendListeners.add(listener);
        return () => appendListeners.delete(listener);
      },
    },
    apiKeys: gate.around(apiKeyStore(database.db)),
    rooms: gate.around(roomStore(database.db)),
    revocations: gate.around(revocationStore(database.db)),
    refresh: gate.around(refreshStore(database.db)),
    users: gate.around(userStore(database.db)),
    interviews: gate.around(interviewStore(database.db)),
    userModules: gate.around(userModuleStore(database.db)),
    audit: gate.around(auditStore(database.db)),
    jobsDatabase: gate.around({
      executeSql: (text: string, values?: unknown[]) => database.executeSql(text, values),
    }),
    notices: {
      ...gate.around({
        publish: (topic: string, payload: string) => database.notices.publish(topic, payload),
      }),
      subscribe: (topic, subscriber) => database.notices.subscribe(topic, subscriber),
    },
    health: databaseHealth(database),
    ...(database.redisHealth && { redisHealth: database.redisHealth }),
    close: () => gate.closeOnce(() => database.close()),
  };
}
