/** Says which recordings a page of this browser is making now, so that no other page takes one for left behind. */

const lockName = (recordingId: string) => `parley-recording-${recordingId}`;

/** Holds a recording for this page until the returned function is called, or the page is gone. */
export function holdRecording(recordingId: string): () => void {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  // Fails only where the page is going away.
  navigator.locks.request(lockName(recordingId), () => promise).catch(() => undefined);
  return () => resolve(undefined);
}

/** Whether a page makes it now. */
export async function isRecordingHeld(recordingId: string): Promise<boolean> {
  const { held = [] } = await navigator.locks.query();
  return held.some(({ name }) => name === lockName(recordingId));
}
