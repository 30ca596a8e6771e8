/**
 * A process of its own that uses a PGlite folder, for tests that kill it. Says "open", then commits finals one after
 * the other and writes the index of each that was acknowledged; or, with "hold", only keeps the folder open.
 */
import { writeSync } from "node:fs";
import { openStorage, StorageError } from "../../src/storage/open-storage.ts";
import { silentLog } from "./silent-log.ts";
import { segment, session } from "./samples.ts";

const [, , dataDir, mode, sessionId = "killed"] = process.argv;
const say = (line: string) => writeSync(1, `${line}\n`);

try {
  const storage = await openStorage({ dataDir: dataDir!, log: silentLog });
  say("open");
  if (mode === "hold") {
    setInterval(() => undefined, 60_000);
  } else {
    await storage.sessions.create(session(sessionId));
    for (let index = 0; ; index++) {
      const commit = { segments: [segment(index)], committedThrough: (index + 1) * 16_000 };
      await storage.sessions.commit(sessionId, 1, commit);
      say(String(index));
    }
  }
} catch (error) {
  say(error instanceof StorageError ? error.code : String(error));
  process.exit(1);
}
