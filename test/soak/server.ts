/**
 * The whole server with an engine that hears marks, as a process of its own for the soak. With SOAK_LEAK_KB it leaks so
 * much with each stream that the engine opens: that is how the soak is shown to notice a leak.
 */
import { pino } from "pino";
import { readConfig } from "../../src/config.ts";
import { startServer } from "../../src/main.ts";
import type { SpeechEngine } from "../../src/transcription/engines/speech-engine.ts";
import { createMarkerEngine } from "../fakes/marker-engine.ts";

const leakBytes = Number(process.env["SOAK_LEAK_KB"] ?? "0") * 1024;
const leaked: Buffer[] = [];

function leaking(engine: SpeechEngine): SpeechEngine {
  return {
    ...engine,
    open(options, signal) {
      if (leakBytes > 0) leaked.push(Buffer.alloc(leakBytes, 1));
      return engine.open(options, signal);
    },
  };
}

const config = readConfig();
const server = await startServer(config, {
  log: pino({ level: config.logLevel }),
  engine: leaking(createMarkerEngine()),
});
process.once("SIGTERM", () => {
  void server.stop(1_000).then(() => process.exit(0));
});
