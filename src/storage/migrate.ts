/**
 * Brings a database to the newest tables. The list is static, so that it works from a bundle too. A migration that has
 * been released is never edited; a new one is added at the end.
 */
import type { Kysely } from "kysely";
import { Migrator } from "kysely/migration";
import type { Migration } from "kysely/migration";
import * as sessions from "./migrations/0001-sessions.ts";
import * as apiKeys from "./migrations/0002-api-keys.ts";
import * as rooms from "./migrations/0003-rooms.ts";
import * as interviews from "./migrations/0004-interviews.ts";
import * as resume from "./migrations/0005-resume.ts";
import * as revocations from "./migrations/0006-revocations.ts";
import * as roomSettings from "./migrations/0007-room-settings.ts";
import * as audit from "./migrations/0008-audit.ts";
import * as users from "./migrations/0009-users.ts";
import * as refresh from "./migrations/0010-refresh.ts";
import * as roomNamesakes from "./migrations/0011-room-namesakes.ts";
import * as userModules from "./migrations/0012-user-modules.ts";
import * as sessionEvents from "./migrations/0013-session-events.ts";
import { toStorageError } from "./storage-error.ts";

const migrations: Record<string, Migration> = {
  "0001-sessions": sessions,
  "0002-api-keys": apiKeys,
  "0003-rooms": rooms,
  "0004-interviews": interviews,
  "0005-resume": resume,
  "0006-revocations": revocations,
  "0007-room-settings": roomSettings,
  "0008-audit": audit,
  "0009-users": users,
  "0010-refresh": refresh,
  "0011-room-namesakes": roomNamesakes,
  "0012-user-modules": userModules,
  "0013-session-events": sessionEvents,
};

/** Safe to run in several processes at once: PostgreSQL's advisory lock lets one work and the others wait. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- Migrator's own type: it has no table types
export async function migrate(db: Kysely<any>): Promise<void> {
  const migrator = new Migrator({ db, provider: { getMigrations: () => Promise.resolve(migrations) } });
  const { error } = await migrator.migrateToLatest();
  if (error !== undefined) throw toStorageError(error);
}
