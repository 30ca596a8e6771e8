/** Sound as a real Chromium gives it: a microphone that hears a file, files of several kinds, the bundled sample. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { noChromium } from "../../browser/chromium.ts";
import { openStudioPage } from "../open-studio-page.ts";
import type { StudioPage } from "../open-studio-page.ts";

const speech = new URL("../../audio/austen-0890.wav", import.meta.url);

describe.skipIf(noChromium !== undefined)(
  `sound in a browser${noChromium === undefined ? "" : ` (${noChromium})`}`,
  () => {
    let studio: StudioPage;
    beforeAll(async () => {
      studio = await openStudioPage({ microphoneFile: fileURLToPath(speech) });
    });
    afterAll(() => studio.close());

    test("the microphone gives 16 kHz in pieces of 50 ms, with the speech in it, and its trace", async () => {
      const heard = await studio.page.evaluate(async () => {
        const pieces: Int16Array[] = [];
        const levels: number[] = [];
        const pitches: number[] = [];
        const enough = Promise.withResolvers<undefined>();
        const traced = Promise.withResolvers<undefined>();
        const tracer = parts.startVoiceTracer(({ levelsDbfs, pitchesHz }) => {
          levels.push(...levelsDbfs);
          pitches.push(...[...pitchesHz].filter((hz) => !Number.isNaN(hz)));
          if (levels.length >= 60) traced.resolve(undefined);
        });
        const microphone = await parts.openMicrophone({
          onSamples: (samples) => {
            pieces.push(samples);
            tracer.trace(samples);
            if (pieces.length === 62) enough.resolve(undefined);
          },
          onLost: () => enough.reject(new Error("lost")),
        });
        await enough.promise;
        await microphone.stop();
        await traced.promise;
        tracer.stop();
        return { lengths: pieces.map(({ length }) => length), levels, pitches };
      });
      expect(new Set(heard.lengths.slice(0, 62))).toEqual(new Set([800]));
      expect(Math.max(...heard.levels)).toBeGreaterThan(-40);
      expect(heard.pitches.length).toBeGreaterThan(5);
    });

    test("a file is decoded to the samples that are in it", async () => {
      const file = readFileSync(speech);
      const samples = await studio.page.evaluate(
        async (url) => [...(await parts.readRecording(await (await fetch(url)).blob()))].slice(0, 20_000),
        `data:audio/wav;base64,${file.toString("base64")}`,
      );
      const expected = new Int16Array(file.buffer.slice(file.byteOffset + 44, file.byteOffset + 44 + 40_000));
      const errors = samples.map((sample, index) => Math.abs(sample - (expected[index] ?? NaN)));
      expect(Math.max(...errors)).toBeLessThanOrEqual(1);
    });

    test("channels and rates become one: 44.1 kHz stereo with opposite channels is silence, as long as it was", async () => {
      const frames = 44_100;
      const wav = Buffer.alloc(44 + frames * 4);
      wav.write("RIFF", 0);
      wav.writeUInt32LE(36 + frames * 4, 4);
      wav.write("WAVEfmt ", 8);
      wav.writeUInt32LE(16, 16);
      wav.writeUInt16LE(1, 20);
      wav.writeUInt16LE(2, 22);
      wav.writeUInt32LE(44_100, 24);
      wav.writeUInt32LE(44_100 * 4, 28);
      wav.writeUInt16LE(4, 32);
      wav.writeUInt16LE(16, 34);
      wav.write("data", 36);
      wav.writeUInt32LE(frames * 4, 40);
      for (let frame = 0; frame < frames; frame += 1) {
        const sample = Math.round(8_000 * Math.sin((2 * Math.PI * 440 * frame) / 44_100));
        wav.writeInt16LE(sample, 44 + frame * 4);
        wav.writeInt16LE(-sample, 46 + frame * 4);
      }
      const { length, loudest } = await studio.page.evaluate(
        async (url) => {
          const samples = await parts.readRecording(await (await fetch(url)).blob());
          return {
            length: samples.length,
            loudest: samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0),
          };
        },
        `data:audio/wav;base64,${wav.toString("base64")}`,
      );
      expect(length).toBe(16_000);
      expect(loudest).toBeLessThanOrEqual(1);
    });

    test("what is no sound is refused in words", async () => {
      const refusals = await studio.page.evaluate(async () =>
        Promise.all(
          [new Blob([]), new Blob(["hello"])].map((file) =>
            parts.readRecording(file).then(
              () => "taken",
              (error: unknown) => (error instanceof Error ? `${error.name}: ${error.message}` : ""),
            ),
          ),
        ),
      );
      for (const refusal of refusals)
        expect(refusal).toMatch(/^AudioError: This browser finds no sound in that file/);
    });

    test("the bundled sample is there", async () => {
      expect(await studio.page.evaluate(async () => (await parts.readSample()).length / 16_000)).toBeCloseTo(
        28.5,
        0,
      );
    });
  },
);
