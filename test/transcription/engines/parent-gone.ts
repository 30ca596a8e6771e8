/** A process that loads the offline engine, tells the engine's process id, and then does nothing: to be killed. */
import { createOfflineEngine } from "../../../src/transcription/engines/offline/offline-engine.ts";
import { testModelDir } from "./test-model-dir.ts";

const engine = createOfflineEngine({ modelDir: testModelDir(), processes: 1 });
await engine.warmUp();
process.send?.(engine.processIds());
setInterval(() => undefined, 60_000);
