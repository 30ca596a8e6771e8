/**
 * Measures the offline engine alone: `node test/bench/engine-offline.ts [FOLDER]`, where FOLDER holds pairs of
 * NAME.wav (mono, 16-bit, 16 kHz) and NAME.words.tsv (word, start ms, end ms). Work is processor time of the engine's
 * process, so other load on the machine does not count. Models from MODEL_DIR or the user's cache.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createOfflineEngine } from "../../src/transcription/engines/offline/offline-engine.ts";
import {
  driveEngine,
  finalsOf,
  joined,
  readWav,
  textOf,
  type TimedEvent,
} from "../transcription/engines/drive-engine.ts";
import { testModelDir } from "../transcription/engines/test-model-dir.ts";
import { quantile, readReferenceWords, scoreWords, type ReferenceWord } from "./word-error.ts";

const rate = 16_000;
const gapMs = 1500;
const ticksPerSecond = 100;

const folder = process.argv[2] ?? join(import.meta.dirname, "../audio");
const clips = readdirSync(folder)
  .filter((name) => name.endsWith(".wav"))
  .map((name) => ({
    name,
    samples: readWav(join(folder, name)),
    words: readReferenceWords(join(folder, name.replace(/wav$/, "words.tsv"))),
  }));
const gap = new Float32Array((rate * gapMs) / 1000);
const all = joined([gap, ...clips.flatMap((clip) => [clip.samples, gap])]);
const allWords: ReferenceWord[] = [];
let offsetMs = gapMs;
for (const clip of clips) {
  for (const word of clip.words) {
    allWords.push({ ...word, startMs: word.startMs + offsetMs, endMs: word.endMs + offsetMs });
  }
  offsetMs += (clip.samples.length * 1000) / rate + gapMs;
}

const engine = createOfflineEngine({ modelDir: testModelDir() });
await engine.warmUp();
console.log(
  `loaded: ${(processCpuSeconds() * 1000).toFixed(0)} ms of work, ${residentMb().toFixed(0)} MB resident`,
);

const each: { rate: number; errors: number; said: number; startErrorsMs: readonly number[] }[] = [];
for (const clip of clips) {
  const score = scored(await driveEngine(engine, clip.samples), clip.words);
  const errors = score.substitutions + score.insertions + score.deletions;
  each.push({ rate: score.rate, errors, said: score.referenceWords, startErrorsMs: score.startErrorsMs });
}
const errors = each.reduce((sum, score) => sum + score.errors, 0);
const said = each.reduce((sum, score) => sum + score.said, 0);
console.log(
  `each clip alone: WER ${percent(errors / said)} (${errors} of ${said}), ${starts(each.flatMap((score) => score.startErrorsMs))}`,
);

await measured("joined, no interims", { interimResults: false });
await measured("joined, real time, interims", { interimResults: true, realTime: true, chunkSamples: 320 });
await engine.close();

async function measured(name: string, options: Parameters<typeof driveEngine>[2]): Promise<void> {
  const before = processCpuSeconds();
  const events = await driveEngine(engine, all, options);
  const work = (processCpuSeconds() - before) / (all.length / rate);
  const score = scored(events, allWords);
  console.log(
    `${name}: WER ${percent(score.rate)} (${score.substitutions} wrong, ${score.insertions} added, ` +
      `${score.deletions} lost), ${starts(score.startErrorsMs)}, work ${work.toFixed(3)} s per second of audio, ` +
      `${residentMb().toFixed(0)} MB resident (most so far ${residentMb("VmHWM").toFixed(0)} MB)`,
  );
  if (options?.realTime === true) console.log(`${name}: ${delays(events)}`);
}

function scored(
  events: readonly TimedEvent[],
  words: readonly ReferenceWord[],
): ReturnType<typeof scoreWords> {
  if (process.env["SHOW"] !== undefined) console.log(textOf(events));
  return scoreWords(
    finalsOf(events).flatMap((final) =>
      final.words.map((word) => ({ text: word.text, startMs: (word.startSample * 1000) / rate })),
    ),
    words,
  );
}

/** First interim and final of each final, after the true start and end of speech around it. */
function delays(events: readonly TimedEvent[]): string {
  const firstMs: number[] = [];
  const finalMs: number[] = [];
  for (const { event, atMs } of events) {
    if (event.type !== "final") continue;
    const within = allWords.filter(
      (word) =>
        word.endMs > (event.startSample * 1000) / rate && word.startMs < (event.endSample * 1000) / rate,
    );
    const interim = events.find(
      (other) => other.event.type === "interim" && other.event.startSample === event.startSample,
    );
    finalMs.push(atMs - Math.max(...within.map((word) => word.endMs)));
    if (interim !== undefined) firstMs.push(interim.atMs - Math.min(...within.map((word) => word.startMs)));
  }
  return `first interim after ${spread(firstMs)}, final after ${spread(finalMs)}`;
}

function starts(errorsMs: readonly number[]): string {
  const bias = quantile(errorsMs, 0.5);
  return `word starts off by ${spread(errorsMs.map(Math.abs))} (bias ${bias.toFixed(0)} ms)`;
}

function spread(values: readonly number[]): string {
  return `median ${quantile(values, 0.5).toFixed(0)} ms, p95 ${quantile(values, 0.95).toFixed(0)} ms`;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

function processCpuSeconds(): number {
  const stats = engine.processIds().map((pid) => readFileSync(`/proc/${pid}/stat`, "utf8").split(" "));
  return stats.reduce((sum, fields) => sum + (Number(fields[13]) + Number(fields[14])) / ticksPerSecond, 0);
}

function residentMb(field: "VmRSS" | "VmHWM" = "VmRSS"): number {
  const statuses = engine.processIds().map((pid) => readFileSync(`/proc/${pid}/status`, "utf8"));
  return statuses.reduce(
    (sum, status) => sum + Number(new RegExp(`${field}:\\s+(\\d+)`).exec(status)?.[1]) / 1024,
    0,
  );
}
