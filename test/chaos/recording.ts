/** What is said in every session: the clips of test/audio, again and again in an order that follows from the seed. */
import { joinClips, readClips } from "../bench/recordings.ts";
import type { Recording } from "../bench/recordings.ts";
import { createRandom } from "./random.ts";

/** Long enough that a final comes between clips. */
const gapMs = 800;

export function makeRecording(seed: number, minMs: number): Recording {
  const random = createRandom(seed ^ 0x736179);
  const clips = readClips();
  const order: Recording[] = [];
  let lengthMs = gapMs;
  while (lengthMs < minMs) {
    const clip = random.pick(clips.filter((candidate) => candidate !== order.at(-1)));
    order.push(clip);
    lengthMs += (clip.samples.length * 1000) / clip.sampleRateHz + gapMs;
  }
  return joinClips(order, gapMs);
}
