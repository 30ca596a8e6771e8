/** What a recording is made with, as interfaces: the page hands in the real ones, tests their own. */
import type { Transport } from "@connectrpc/connect";
import type { Clock } from "../../client/index.ts";
import type { Microphone, MicrophoneOptions } from "../audio/open-microphone.ts";
import type { RecordingStore } from "../audio/recording-store.ts";
import type { RunningVoiceTracer } from "../audio/start-voice-tracer.ts";
import type { VoiceTrace } from "../audio/voice-tracer.ts";

export interface RecordingParts {
  /** Streams both ways. */
  readonly transport: Transport | (() => Transport);
  /** Default room: a new one. Rejects with an error whose message can be shown. */
  readonly enterRoom: (roomName?: string) => Promise<Room>;
  /** Who records. */
  readonly userId: string;
  /** Undefined where this browser keeps nothing. */
  readonly store: KeepsRecordings | undefined;
  /** Marks a recording as this page's own; the returned function lets it go. */
  readonly hold: (recordingId: string) => () => void;
  readonly openMicrophone: (options: MicrophoneOptions) => Promise<Microphone>;
  readonly startVoiceTracer: (onTrace: (trace: VoiceTrace) => void) => RunningVoiceTracer;
  readonly clock: Clock;
}

export interface Room {
  readonly roomName: string;
  readonly maySpeak: boolean;
  readonly token: () => Promise<string>;
}

export type KeepsRecordings = Pick<
  RecordingStore,
  "begin" | "update" | "append" | "read" | "list" | "delete"
>;
