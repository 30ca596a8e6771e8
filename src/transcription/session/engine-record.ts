/** What engines heard a session, and what that means for its words: as careful as the least of them. */
import { keepsFillers } from "../engines/speech-engine.ts";
import type { SpeechEngine } from "../engines/speech-engine.ts";
import type { EngineRecord } from "../session-store.ts";

export function engineRecord(engines: readonly SpeechEngine[], languageCode: string): EngineRecord {
  return engines
    .map(({ name, capabilities }): EngineRecord => ({
      engine: name,
      wordTimes: capabilities.wordTimes,
      fillers: keepsFillers(capabilities, languageCode) ? "kept" : "may-drop",
    }))
    .reduce(joinRecords);
}

export function joinRecords(one: EngineRecord, other: EngineRecord): EngineRecord {
  const names = new Set([...one.engine.split("+"), ...other.engine.split("+")]);
  return {
    engine: [...names].join("+"),
    wordTimes: one.wordTimes === "estimated" || other.wordTimes === "estimated" ? "estimated" : "measured",
    fillers: one.fillers === "may-drop" || other.fillers === "may-drop" ? "may-drop" : "kept",
  };
}
