/** What the command reads of WAV files: every format it takes, to the bit, and one clear line for what it does not. */
import fc from "fast-check";
import { execFileSync } from "node:child_process";
import { chmodSync } from "node:fs";
import { open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname } from "node:path";
import { describe, expect, test } from "vitest";
import { CliError } from "../../src/cli/cli-error.ts";
import { openWav } from "../../src/cli/wav/open-wav.ts";
import { toStreamAudio } from "../../src/cli/wav/to-stream-audio.ts";
import { AudioEncoding } from "../../gen/ts/parley/transcription/v1/transcription_pb.ts";
import { chunkOf, fileOf, formatChunk, longSizes, wav } from "./wav-file.ts";

/** The user without rights on most systems. */
const nobody = 65_534;

const tone = Buffer.from(Int16Array.from({ length: 1000 }, (_, index) => 3000 * Math.sin(index)).buffer);

async function collect<T = Buffer>(
  pieces: AsyncIterable<Buffer>,
  convert = (piece: Buffer) => piece as T,
): Promise<T[]> {
  const converted: T[] = [];
  for await (const piece of pieces) converted.push(convert(piece));
  return converted;
}

async function readAll(path: string, framesPerPiece = 100): Promise<Buffer> {
  return Buffer.concat(await collect((await openWav(path)).read(framesPerPiece)));
}

async function floatsOf(path: string, separateChannels = false): Promise<number[]> {
  const file = await openWav(path);
  const { encoding, convert } = toStreamAudio(file.format, { separateChannels });
  expect(encoding).toBe(AudioEncoding.FLOAT32);
  const bytes = Buffer.concat(await collect(file.read(100), convert));
  return Array.from({ length: bytes.length / 4 }, (_, index) => bytes.readFloatLE(index * 4));
}

async function refusal(path: string): Promise<CliError> {
  const error = await openWav(path).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(CliError);
  const refused = error as CliError;
  expect(refused.exitCode).toBe(2);
  expect(refused.message).not.toContain("\n");
  return refused;
}

describe("samples", () => {
  test("16-bit samples arrive bit for bit", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.int16Array({ minLength: 1, maxLength: 3000 }),
        fc.integer({ min: 1, max: 700 }),
        async (samples, framesPerPiece) => {
          const data = Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength);
          const path = fileOf(wav({ data }), "property.wav");
          const file = await openWav(path);
          const { encoding, convert } = toStreamAudio(file.format, { separateChannels: false });
          expect(encoding).toBe(AudioEncoding.LINEAR16);
          const pieces = await collect(file.read(framesPerPiece), convert);
          expect(Buffer.concat(pieces).equals(data)).toBe(true);
          expect(file.frameCount).toBe(samples.length);
        },
      ),
      { numRuns: 60 },
    );
  });

  test("any rate, channels and chunks around the audio: what was written is read", async () => {
    const chunk = fc
      .tuple(fc.constantFrom("LIST", "bext", "fact", "junk"), fc.uint8Array({ maxLength: 33 }))
      .map(([id, body]) => chunkOf(id, body));
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          sampleRateHz: fc.integer({ min: 8000, max: 48_000 }),
          channelCount: fc.integer({ min: 1, max: 8 }),
          encoding: fc.constantFrom([1, 8], [1, 16], [1, 24], [1, 32], [3, 32], [7, 8]),
          frames: fc.integer({ min: 1, max: 50 }),
          first: fc.array(chunk, { maxLength: 3 }),
          between: fc.array(chunk, { maxLength: 3 }),
          after: fc.array(chunk, { maxLength: 2 }),
          seed: fc.uint8Array({ minLength: 1600, maxLength: 1600 }),
        }),
        async ({ encoding, frames, seed, ...parts }) => {
          const [code = 1, bits = 16] = encoding;
          const data = seed.subarray(0, (frames * parts.channelCount * bits) / 8);
          const path = fileOf(wav({ ...parts, code, bits, data }), "property.wav");
          const file = await openWav(path);
          expect(file).toMatchObject({ frameCount: frames, missingFrames: 0 });
          expect(file.format).toMatchObject({
            sampleRateHz: parts.sampleRateHz,
            channelCount: parts.channelCount,
          });
          expect((await readAll(path, 7)).equals(data)).toBe(true);
        },
      ),
      { numRuns: 60 },
    );
  });

  test("8-bit samples are unsigned around 128", async () => {
    const data = Uint8Array.of(0, 128, 192, 255);
    expect(await floatsOf(fileOf(wav({ bits: 8, data })))).toEqual([-1, 0, 0.5, 127 / 128]);
  });

  test("24-bit samples keep their sign and their lowest bit", async () => {
    const data = Uint8Array.of(0, 0, 0x80, 1, 0, 0, 0xff, 0xff, 0xff, 0, 0, 0x40);
    expect(await floatsOf(fileOf(wav({ bits: 24, data })))).toEqual([-1, 2 ** -23, -(2 ** -23), 0.5]);
  });

  test("32-bit integers are scaled to one", async () => {
    const data = Buffer.from(Int32Array.of(-(2 ** 31), 2 ** 30, 0).buffer);
    expect(await floatsOf(fileOf(wav({ bits: 32, data })))).toEqual([-1, 0.5, 0]);
  });

  test("32-bit floats arrive bit for bit", async () => {
    const data = Buffer.from(Float32Array.of(0.1, -1, 1e-30).buffer);
    const file = await openWav(fileOf(wav({ code: 3, bits: 32, data })));
    const { encoding, convert } = toStreamAudio(file.format, { separateChannels: false });
    expect(encoding).toBe(AudioEncoding.FLOAT32);
    expect(Buffer.concat(await collect(file.read(2), convert)).equals(data)).toBe(true);
  });

  test("µ-law of one channel is sent as it is", async () => {
    const file = await openWav(
      fileOf(wav({ code: 7, bits: 8, sampleRateHz: 8000, data: Uint8Array.of(1, 2, 3) })),
    );
    const { encoding, convert } = toStreamAudio(file.format, { separateChannels: false });
    expect(encoding).toBe(AudioEncoding.MULAW);
    expect(Buffer.concat(await collect(file.read(2), convert))).toEqual(Buffer.of(1, 2, 3));
  });

  test("µ-law is expanded as G.711 has it when channels are mixed", async () => {
    const data = Uint8Array.of(0x00, 0x00, 0x80, 0x80, 0xff, 0x7f, 0xf0, 0xf0);
    const path = fileOf(wav({ code: 7, bits: 8, channelCount: 2, data }));
    expect(await floatsOf(path)).toEqual([-32_124, 32_124, 0, 120].map((value) => value / 32_768));
  });

  test("several channels are mixed to their mean", async () => {
    const data = Buffer.from(Int16Array.of(16_384, 0, -16_384, -16_384).buffer);
    expect(await floatsOf(fileOf(wav({ channelCount: 2, data })))).toEqual([0.25, -0.5]);
  });

  test("separate channels stay interleaved and untouched", async () => {
    const data = Buffer.from(Int16Array.of(1, 2, 3, 4, 5, 6).buffer);
    const file = await openWav(fileOf(wav({ channelCount: 3, data })));
    const audio = toStreamAudio(file.format, { separateChannels: true });
    expect(audio).toMatchObject({ encoding: AudioEncoding.LINEAR16, channelCount: 3 });
    expect(Buffer.concat(await collect(file.read(1), audio.convert)).equals(data)).toBe(true);
  });

  test("separate channels of 24 bits become floats of as many channels", async () => {
    const data = Uint8Array.of(0, 0, 0x80, 0, 0, 0x40);
    const path = fileOf(wav({ bits: 24, channelCount: 2, data }));
    expect(await floatsOf(path, true)).toEqual([-1, 0.5]);
  });
});

describe("files that are laid out unusually", () => {
  test("an extensible format says its encoding in the subformat", async () => {
    const format = formatChunk({ code: 0xfffe, bits: 24 }, 1);
    const file = await openWav(fileOf(wav({ format, data: new Uint8Array(30) })));
    expect(file.format.sampleFormat).toBe("int24");
    expect(file.frameCount).toBe(10);
  });

  test("odd-sized chunks and a LIST before the audio are stepped over", async () => {
    const between = [chunkOf("LIST", Buffer.from("INFOx")), chunkOf("junk", Uint8Array.of(1))];
    const path = fileOf(wav({ first: [chunkOf("bext", new Uint8Array(7))], between, data: tone }));
    expect((await readAll(path)).equals(tone)).toBe(true);
  });

  test("a LIST after the audio is not audio", async () => {
    const path = fileOf(wav({ data: tone, after: [chunkOf("LIST", new Uint8Array(20))] }));
    expect((await readAll(path)).equals(tone)).toBe(true);
  });

  test.each(["RF64", "BW64"] as const)("%s says its length in ds64", async (kind) => {
    const first = [longSizes(BigInt(tone.length))];
    const after = [chunkOf("LIST", new Uint8Array(20))];
    const sizes = { statedBytes: 0xffff_ffff, riffBytes: 0xffff_ffff };
    const path = fileOf(wav({ kind, first, after, data: tone, ...sizes }));
    expect((await readAll(path)).equals(tone)).toBe(true);
  });

  test("ds64 does not overrule a data chunk that knows its own length", async () => {
    const first = [longSizes(BigInt(tone.length + 20))];
    const path = fileOf(
      wav({ kind: "RF64", first, data: tone, after: [chunkOf("LIST", new Uint8Array(12))] }),
    );
    expect((await readAll(path)).equals(tone)).toBe(true);
  });

  test.each([
    ["0", 0, 36],
    ["0xFFFFFFFF", 0xffff_ffff, 0xffff_ffff],
    ["0x7FFFF000", 0x7fff_f000, 0x7fff_f024],
    ["0x80000000", 0x8000_0000, 0x8000_0024],
  ])("a length of %s, as left by a writer to a pipe, means to the end", async (_, statedBytes, riffBytes) => {
    const path = fileOf(wav({ data: tone, statedBytes, riffBytes }));
    expect(await openWav(path)).toMatchObject({ frameCount: 1000, missingFrames: 0 });
    expect((await readAll(path)).equals(tone)).toBe(true);
  });

  test("audio that is cut short is read as far as it goes, and what is missing is counted", async () => {
    const path = fileOf(wav({ data: tone, statedBytes: 3001 }));
    expect(await openWav(path)).toMatchObject({ frameCount: 1000, missingFrames: 501 });
  });

  test("half a sample at the end is left out", async () => {
    const path = fileOf(wav({ data: tone.subarray(0, 101), statedBytes: 101 }));
    expect((await readAll(path)).equals(tone.subarray(0, 100))).toBe(true);
  });
});

describe("files that are refused", () => {
  const jpeg = Buffer.from("ffd8ffe000104a46494600010100000100010000ffdb", "hex");
  const manyChunks = wav({ data: tone, between: [Buffer.alloc(2000 * 8)] });
  test.each<[string, Uint8Array, RegExp]>([
    ["an empty file", new Uint8Array(0), /is empty$/],
    ["a JPEG", jpeg, /is not a WAV file$/],
    ["a text", Buffer.from("dear diary, today I wrote a test"), /is not a WAV file$/],
    ["a header cut within the first line", wav({ data: tone }).subarray(0, 9), /is not a WAV file$/],
    [
      "a header cut within the format",
      wav({ data: tone }).subarray(0, 30),
      /does not say what audio|cut short/,
    ],
    ["a header cut before the audio", wav({ data: tone }).subarray(0, 36), /cut short: it holds no audio$/],
    ["a header without a format", wav({ data: tone, format: new Uint8Array(0) }), /does not say what audio/],
    ["audio of zero length", wav({ data: new Uint8Array(0) }), /holds no audio$/],
    [
      "audio of zero length before a LIST",
      wav({ data: new Uint8Array(0), after: [chunkOf("LIST", new Uint8Array(50))] }),
      /holds no audio$/,
    ],
    ["less than one sample", wav({ data: Uint8Array.of(1) }), /holds no audio$/],
    ["7 kHz", wav({ data: tone, sampleRateHz: 7000 }), /7000 samples a second; 8000 to 48000/],
    ["96 kHz", wav({ data: tone, sampleRateHz: 96_000 }), /96000 samples a second/],
    ["9 channels", wav({ data: tone, channelCount: 9 }), /9 channels; 1 to 8/],
    ["no channel", wav({ data: tone, channelCount: 0 }), /0 channels/],
    ["MP3 in a WAV file", wav({ data: tone, code: 0x55, bits: 0 }), /format 85, 0 bits\); convert it/],
    ["64-bit floats", wav({ data: tone, code: 3, bits: 64 }), /format 3, 64 bits/],
    ["frames of a size that does not fit", wav({ data: tone, bytesPerFrame: 4 }), /contradicts itself/],
    [
      "a chunk longer than the file",
      wav({ data: tone, between: [chunkOf("junk", tone, 0xffff_fff0)] }),
      /cut short/,
    ],
    ["thousands of empty chunks, which are not all looked at", manyChunks, /holds no audio$/],
  ])("%s", async (_, content, line) => {
    expect((await refusal(fileOf(content))).message).toMatch(line);
  });

  test("a file that is not there", async () => {
    expect((await refusal("/nowhere/at-all.wav")).message).toBe("/nowhere/at-all.wav: there is no such file");
  });

  test("a folder", async () => {
    expect((await refusal(tmpdir())).message).toMatch(/is not a file$/);
  });

  test("a named pipe that nobody writes to, without waiting for a writer", async () => {
    const path = `${fileOf("")}.pipe`;
    execFileSync("mkfifo", [path]);
    expect((await refusal(path)).message).toMatch(/is not a file$/);
  });

  test("a file without the right to read", async () => {
    const path = fileOf(wav({ data: tone }));
    chmodSync(dirname(path), 0o755);
    chmodSync(path, 0);
    const isRoot = process.geteuid?.() === 0;
    if (isRoot) process.seteuid?.(nobody); // root reads all
    try {
      expect((await refusal(path)).message).toMatch(/it cannot be read$/);
    } finally {
      if (isRoot) process.seteuid?.(0);
    }
  });

  test("a file that shrinks while it is read fails, and does not look as if it had ended", async () => {
    const path = fileOf(wav({ data: tone }));
    const file = await openWav(path);
    await using handle = await open(path, "r+");
    await handle.truncate(500);
    await expect(collect(file.read(100))).rejects.toThrow("became shorter");
  });
});

test("three hours are read piece by piece, never as a whole", async () => {
  const frameCount = 3 * 3600 * 16_000;
  const path = fileOf(wav({ data: tone, statedBytes: frameCount * 2 }));
  await using handle = await open(path, "r+");
  await handle.truncate(44 + frameCount * 2); // sparse: takes no room on the disk
  const file = await openWav(path);
  expect(file).toMatchObject({ frameCount, missingFrames: 0, durationMs: 3 * 3_600_000 });
  let bytes = 0;
  let mostBytes = 0;
  const before = process.memoryUsage().rss;
  for await (const piece of file.read(1600)) {
    bytes += piece.length;
    mostBytes = Math.max(mostBytes, process.memoryUsage.rss() - before);
  }
  expect(bytes).toBe(frameCount * 2);
  expect(mostBytes).toBeLessThan(100e6); // the file has 346 MB
});
