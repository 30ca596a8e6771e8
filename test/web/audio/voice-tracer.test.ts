/** Loudness and pitch of sounds whose loudness and pitch are known, and of a recording of a voice. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { estimatePitch } from "../../../src/web/audio/estimate-pitch.ts";
import { measureLoudness, silenceDbfs } from "../../../src/web/audio/measure-loudness.ts";
import { toLinear16 } from "../../../src/web/audio/to-linear16.ts";
import { VoiceTracer } from "../../../src/web/audio/voice-tracer.ts";
import { noise, scaled, tone, vowel } from "./tones.ts";

const rateHz = 16_000;
const semitones = (hz: number, ofHz: number) => 12 * Math.log2(hz / ofHz);

describe("loudness", () => {
  test("a sine at full scale is at -3 dBFS, and each halving takes 6 dB", () => {
    const sine = tone({ fromHz: 200, seconds: 0.05, rateHz });
    expect(measureLoudness(toLinear16(sine))).toBeCloseTo(-3.01, 1);
    expect(measureLoudness(toLinear16(scaled(sine, 0.5)))).toBeCloseTo(-9.03, 1);
  });

  test("silence has a level that can be drawn", () => {
    expect(measureLoudness(new Int16Array(800))).toBe(silenceDbfs);
  });
});

describe("pitch", () => {
  test.each([62, 85, 110, 150, 220, 300, 440, 495])("a tone of %i Hz, soft or loud", (fromHz) => {
    for (const factor of [0.02, 0.9]) {
      const pitchHz = estimatePitch(toLinear16(scaled(tone({ fromHz, seconds: 0.05, rateHz }), factor)));
      expect(Math.abs(semitones(pitchHz ?? NaN, fromHz))).toBeLessThan(0.1);
    }
  });

  test.each([80, 120, 210, 330])(
    "a vowel at %i Hz is not taken for one of its louder harmonics",
    (fromHz) => {
      const sound = scaled(vowel({ fromHz, seconds: 0.05, rateHz }), 0.4);
      expect(Math.abs(semitones(estimatePitch(toLinear16(sound)) ?? NaN, fromHz))).toBeLessThan(0.1);
    },
  );

  test("noise, silence and tones out of range have none", () => {
    expect(estimatePitch(toLinear16(scaled(noise(800), 0.5)))).toBeUndefined();
    expect(estimatePitch(new Int16Array(800))).toBeUndefined();
    for (const fromHz of [30, 2_900]) {
      const pitchHz = estimatePitch(toLinear16(tone({ fromHz, seconds: 0.05, rateHz })));
      expect(pitchHz === undefined || pitchHz < 60.5 || fromHz > 500).toBe(true);
    }
  });

  test("a vowel in noise that is 15 dB softer keeps its pitch", () => {
    const voice = vowel({ fromHz: 140, seconds: 0.05, rateHz });
    const hiss = noise(voice.length);
    const sound = voice.map((value, index) => 0.4 * value + 0.06 * (hiss[index] ?? 0));
    expect(Math.abs(semitones(estimatePitch(toLinear16(sound)) ?? NaN, 140))).toBeLessThan(0.3);
  });
});

describe("a trace", () => {
  test("follows a glide, frame by frame, in pieces of any length", () => {
    const glide = toLinear16(scaled(vowel({ fromHz: 100, toHz: 200, seconds: 2, rateHz }), 0.4));
    const whole = new VoiceTracer().trace(glide);
    expect(whole.pitchesHz).toHaveLength(40);
    for (const [frame, pitchHz] of whole.pitchesHz.entries()) {
      const expectedHz = 100 + (100 * (frame + 0.5)) / 40;
      expect(Math.abs(semitones(pitchHz, expectedHz))).toBeLessThan(0.5);
    }
    const tracer = new VoiceTracer();
    const pitches: number[] = [];
    for (let at = 0; at < glide.length; at += 333) {
      const piece = tracer.trace(glide.subarray(at, at + 333));
      expect(piece.firstFrame).toBe(pitches.length);
      pitches.push(...piece.pitchesHz);
    }
    expect(Float32Array.from(pitches)).toEqual(whole.pitchesHz);
  });

  test("hum that is too soft for a voice has a level and no pitch", () => {
    const hum = toLinear16(scaled(tone({ fromHz: 100, seconds: 0.1, rateHz }), 0.001));
    const { levelsDbfs, pitchesHz } = new VoiceTracer().trace(hum);
    expect(levelsDbfs[0]).toBeCloseTo(-63, 0);
    expect([...pitchesHz]).toEqual([NaN, NaN]);
  });

  test("a recorded reader: a third of the frames or more voiced, nearly all within two octaves around the median", () => {
    const file = readFileSync(new URL("../../audio/austen-0880.wav", import.meta.url));
    const samples = new Int16Array(
      file.buffer.slice(file.byteOffset + 44, file.byteOffset + file.length - (file.length % 2)),
    );
    const { pitchesHz } = new VoiceTracer().trace(samples);
    const voiced = [...pitchesHz].filter((hz) => !Number.isNaN(hz)).sort((a, b) => a - b);
    const medianHz = voiced[Math.floor(voiced.length / 2)] ?? NaN;
    const near = voiced.filter((hz) => Math.abs(semitones(hz, medianHz)) < 12);
    expect(voiced.length / pitchesHz.length).toBeGreaterThan(0.3);
    expect(near.length / voiced.length).toBeGreaterThan(0.95);
  });
});
