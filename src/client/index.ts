/**
 * What an app imports beside the generated code: a transcription that survives broken streams, and a transport on which
 * browsers stream both ways. For Node and browsers.
 */
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
export { createWebSocketTransport } from "./websocket/create-web-socket-transport.ts";
export type { WebSocketTransportOptions } from "./websocket/create-web-socket-transport.ts";
export type { WebSocketConstructor, WebSocketLike } from "./websocket/web-socket.ts";
