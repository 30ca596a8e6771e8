/** The bundled sample recording, fetched when somebody asks for it. */
import { AudioError } from "./audio-error.ts";
import { readRecording } from "./read-recording.ts";

export const sampleName = "Sample: a passage of Jane Austen";

/** As readRecording. Rejects with an AudioError when it cannot be fetched. */
export async function readSample(): Promise<Int16Array<ArrayBuffer>> {
  const url = new URL("../../cli/demo.wav", import.meta.url);
  const response = await fetch(url).catch((error: unknown) => {
    throw notLoaded(error);
  });
  if (!response.ok) throw notLoaded(response.status);
  return readRecording(await response.blob());
}

function notLoaded(cause: unknown): AudioError {
  return new AudioError(
    "not-loaded",
    "The sample could not be loaded. Check your connection and try again.",
    cause,
  );
}
