/** The modules of the studio that tests use in a page: as `parts`, for a test's functions have no imports there. */
import { create } from "@bufbuild/protobuf";
import { h, render } from "preact";
import { TranscriptSchema } from "../../gen/ts/parley/transcription/v1/transcription_pb.ts";
import { openMicrophone } from "../../src/web/audio/open-microphone.ts";
import { readRecording } from "../../src/web/audio/read-recording.ts";
import { readSample } from "../../src/web/audio/read-sample.ts";
import { holdRecording, isRecordingHeld } from "../../src/web/audio/recording-lock.ts";
import { RecordingStore } from "../../src/web/audio/recording-store.ts";
import { startVoiceTracer } from "../../src/web/audio/start-voice-tracer.ts";
import { CaptionsView } from "../../src/web/record/captions-view.tsx";
import { Captions } from "../../src/web/record/captions.ts";

/** Captions in a window of their own. */
function renderCaptions(captions: Captions): void {
  const style = document.createElement("style");
  style.textContent = ".captions { height: 500px; display: grid }";
  document.head.append(style);
  render(h(CaptionsView, { captions, hint: "" }), document.body);
}

const modules = {
  Captions,
  create,
  renderCaptions,
  TranscriptSchema,
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
