/** The modules of the studio that tests use in a page: as `parts`, for a test's functions have no imports there. */
import { openMicrophone } from "../../src/web/audio/open-microphone.ts";
import { readRecording } from "../../src/web/audio/read-recording.ts";
import { readSample } from "../../src/web/audio/read-sample.ts";
import { holdRecording, isRecordingHeld } from "../../src/web/audio/recording-lock.ts";
import { RecordingStore } from "../../src/web/audio/recording-store.ts";
import { startVoiceTracer } from "../../src/web/audio/start-voice-tracer.ts";

const modules = {
  openMicrophone,
  readRecording,
  readSample,
  holdRecording,
  isRecordingHeld,
  RecordingStore,
  startVoiceTracer,
};

declare global {
  var parts: typeof modules;
}
globalThis.parts = modules;
