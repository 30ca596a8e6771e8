/** The Deepgram engine against the FAKE Deepgram of test/fakes: how it keeps the wire, not how well anybody hears. */
import { afterAll } from "vitest";
import { createDeepgramEngine } from "../../../src/transcription/engines/deepgram/deepgram-engine.ts";
import { startFakeDeepgram } from "../../fakes/fake-deepgram.ts";
import { markedAudio } from "../../fakes/marker-engine.ts";
import { describeEngine } from "./conformance.ts";
import { joined } from "./drive-engine.ts";

const marks = [1, 2, 3, 4, 5, 6, 7, 8];
const silence = (ms: number) => new Float32Array(ms * 16);
const marked = (...said: number[]) => Float32Array.from(markedAudio(said), (sample) => sample / 32_768);

describeEngine("the Deepgram engine (against a fake Deepgram)", async () => {
  const fake = await startFakeDeepgram();
  afterAll(() => fake.close());
  return {
    engine: createDeepgramEngine({ apiKey: fake.apiKey, url: fake.url }),
    speech: {
      samples: joined([marked(...marks), silence(1_000)]),
      text: marks.map((mark) => `w${mark}`).join(" "),
      highestErrorRate: 0,
    },
    breakStreams: () => fake.dropAll(),
  };
});
