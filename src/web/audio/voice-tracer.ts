/**
 * Loudness and pitch of a voice over time: one value of each for every 50 ms of its samples, in whatever pieces they come.
 * Pure computing, about 0.3 ms a frame; runs in a worker.
 */
import { estimatePitch } from "./estimate-pitch.ts";
import { measureLoudness } from "./measure-loudness.ts";
import { samplesPerMs } from "./sample-rate.ts";

export const traceFrameMs = 50;

/** Frame n covers n * 50 ms to (n + 1) * 50 ms of the samples. */
export interface VoiceTrace {
  readonly firstFrame: number;
  /** Root mean square level of each frame, in dBFS. */
  readonly levelsDbfs: Float32Array<ArrayBuffer>;
  /** Fundamental frequency of each frame in Hz; NaN where there is no voice. */
  readonly pitchesHz: Float32Array<ArrayBuffer>;
}

/** Softer than this is not called voice, however periodic: the hum of a fan, the mains. */
const softestVoiceDbfs = -55;

const frameSamples = traceFrameMs * samplesPerMs;

export class VoiceTracer {
  #rest = new Int16Array(0);
  #nextFrame = 0;

  /** The frames that are complete now; maybe none. Copies what it keeps. */
  trace(samples: Int16Array): VoiceTrace {
    const all = new Int16Array(this.#rest.length + samples.length);
    all.set(this.#rest);
    all.set(samples, this.#rest.length);
    const count = Math.floor(all.length / frameSamples);
    const firstFrame = this.#nextFrame;
    const levelsDbfs = new Float32Array(count);
    const pitchesHz = new Float32Array(count);
    for (let index = 0; index < count; index += 1) {
      const frame = all.subarray(index * frameSamples, (index + 1) * frameSamples);
      const levelDbfs = measureLoudness(frame);
      levelsDbfs[index] = levelDbfs;
      pitchesHz[index] = (levelDbfs < softestVoiceDbfs ? undefined : estimatePitch(frame)) ?? NaN;
    }
    this.#rest = all.slice(count * frameSamples);
    this.#nextFrame += count;
    return { firstFrame, levelsDbfs, pitchesHz };
  }
}
