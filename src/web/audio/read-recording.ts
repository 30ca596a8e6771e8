/** A recording in any format that the browser knows, as 16-bit mono at 16 kHz. Works in memory; sends nothing. */
import { AudioError } from "./audio-error.ts";
import { sampleRateHz } from "./sample-rate.ts";
import { toLinear16 } from "./to-linear16.ts";

/** Browsers decode a whole file at once, into up to 1.4 GB for an hour. */
export const longestRecordingMinutes = 60;
const maxFileBytes = 1_000_000_000;

/** Channels are mixed into one. Rejects with an AudioError for what is not audio, empty, or over an hour. */
export async function readRecording(file: Blob): Promise<Int16Array<ArrayBuffer>> {
  const tooLong = `The recording is too long: at most ${longestRecordingMinutes} minutes.`;
  if (file.size > maxFileBytes) throw new AudioError("too-long", tooLong);
  // The context's rate is what decoding resamples to.
  const context = new OfflineAudioContext(1, 1, sampleRateHz);
  let sound: AudioBuffer;
  try {
    sound = await context.decodeAudioData(await file.arrayBuffer());
  } catch (error) {
    throw new AudioError(
      "not-audio",
      "This browser finds no sound in that file. WAV, MP3, M4A, OGG and WebM usually work.",
      error,
    );
  }
  if (sound.length === 0) throw new AudioError("not-audio", "That recording is empty.");
  if (sound.duration > longestRecordingMinutes * 60) throw new AudioError("too-long", tooLong);
  return toLinear16(mix(sound));
}

/** The mean of the channels. */
function mix(sound: AudioBuffer): Float32Array {
  const mono = sound.getChannelData(0);
  for (let channel = 1; channel < sound.numberOfChannels; channel += 1) {
    const other = sound.getChannelData(channel);
    for (let index = 0; index < mono.length; index += 1)
      mono[index] = (mono[index] ?? 0) + (other[index] ?? 0);
  }
  if (sound.numberOfChannels > 1) {
    for (let index = 0; index < mono.length; index += 1)
      mono[index] = (mono[index] ?? 0) / sound.numberOfChannels;
  }
  return mono;
}
