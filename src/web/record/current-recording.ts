/**
 * The one recording that the page makes, which goes on while somebody looks at other views; and recordings that an earlier
 * page left behind. The place where a recording gets its real parts.
 */
import { effect, signal } from "@preact/signals";
import type { ReadonlySignal } from "@preact/signals";
import type { SessionSummary } from "../../../gen/ts/parley/transcription/v1/transcription_pb.ts";
import { systemClock } from "../../client/clock.ts";
import { openMicrophone } from "../audio/open-microphone.ts";
import { holdRecording, isRecordingHeld } from "../audio/recording-lock.ts";
import type { Recording } from "../audio/recording-store.ts";
import { openRecordings } from "../audio/recordings.ts";
import { startVoiceTracer } from "../audio/start-voice-tracer.ts";
import { currentUser, enterRoom, streamTransport } from "../session/studio-session.ts";
import { SessionRecording } from "./session-recording.ts";
import type { RecordingPlan } from "./session-recording.ts";

/** As long as the server keeps a broken session open. */
const resumableMs = 600_000;

let lastSummary: SessionSummary | undefined;
const current = signal<SessionRecording | undefined>(undefined);
const leftBehind = signal<readonly Recording[]>([]);

/** Undefined: none is being made, or was made and not yet put away. */
export const currentRecording: ReadonlySignal<SessionRecording | undefined> = current;
/** Unfinished ones of whoever is signed in, newest first; as of the last look. */
export const unfinishedRecordings: ReadonlySignal<readonly Recording[]> = leftBehind;

/** Does nothing while there is one: a file may be ready to play only after somebody has begun to speak. */
export async function startRecording(plan: RecordingPlan): Promise<void> {
  const store = await openRecordings();
  const user = currentUser.peek();
  if (!user || current.peek()) return;
  leftBehind.value = [];
  current.value = new SessionRecording(plan, {
    transport: streamTransport,
    enterRoom,
    userId: user.userId,
    store,
    hold: holdRecording,
    openMicrophone,
    startVoiceTracer,
    clock: systemClock,
  });
}

/** Of the session that ended last in this page. */
export function summaryOfEnded(sessionId: string): SessionSummary | undefined {
  return lastSummary?.sessionId === sessionId ? lastSummary : undefined;
}

/** Looks away from a recording that is over. */
export function putAwayRecording(): void {
  lastSummary = current.peek()?.summary;
  current.value = undefined;
}

/** Looks for what a page that was closed or reloaded left unfinished; what cannot be gone on with is called finished. */
export async function lookForUnfinished(): Promise<void> {
  const user = currentUser.peek();
  const store = await openRecordings();
  if (!user || !store) return;
  const found: Recording[] = [];
  for (const recording of await store.list()) {
    if (recording.isFinished || recording.userId !== user.userId) continue;
    if (await isRecordingHeld(recording.recordingId)) continue;
    const isOld = Date.now() - recording.keptAtMs > resumableMs;
    if (!isOld && recording.resume) found.push(recording);
    else if (isOld) await store.update(recording.recordingId, { isFinished: true });
  }
  if (!current.peek()) leftBehind.value = found;
}

/** Forgets the sound that an earlier page kept; what the server has stays. */
export async function giveUpRecording({ recordingId }: Recording): Promise<void> {
  await (await openRecordings())?.delete(recordingId);
  await lookForUnfinished();
}

// Somebody else may sit down now, or has done so by signing in where a sign-in had expired.
let userId = currentUser.peek()?.userId;
effect(() => {
  const before = userId;
  userId = currentUser.value?.userId;
  if (userId === before) return;
  void current.peek()?.leave();
  current.value = undefined;
  lastSummary = undefined;
  leftBehind.value = [];
});
