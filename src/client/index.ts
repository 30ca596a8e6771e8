/** What an app imports beside the generated code: a transcription that survives broken streams. For Node and browsers. */
export type { Clock } from "./clock.ts";
export { createTranscription } from "./create-transcription.ts";
export { TranscriptionError } from "./transcription-error.ts";
export type { TranscriptionErrorCode } from "./transcription-error.ts";
export { defaultTiming } from "./transcription-options.ts";
export type {
  ResumePoint,
  Transcription,
  TranscriptionConfig,
  TranscriptionEvent,
  TranscriptionOptions,
  TranscriptionState,
  TranscriptionTiming,
} from "./transcription-options.ts";
