/**
 * `npm run bench -- speech`: the figures of the README, measured through the whole server as a process of its own. Work
 * is processor time, so other load does not count; times of arrival are wall-clock time, so it does.
 */
import { availableParallelism, cpus } from "node:os";
import { cpuSeconds, memoryMb, processTree, startServerProcess } from "../e2e/server-process.ts";
import type { ServerProcess } from "../e2e/server-process.ts";
import { speak } from "../e2e/speech-client.ts";
import type { Heard } from "../e2e/speech-client.ts";
import { createOfflineEngine } from "../../src/transcription/engines/offline/offline-engine.ts";
import { driveEngine } from "../transcription/engines/drive-engine.ts";
import { testModelDir } from "../transcription/engines/test-model-dir.ts";
import { joinClips, readClips } from "./recordings.ts";
import type { Recording } from "./recordings.ts";
import { row } from "./row.ts";
import { quantile, scoreWords } from "./word-error.ts";

/** Long enough that a final has come before the next clip begins. */
const gapMs = 2_000;
const rounds = 3;
const manyStreams = 8;

export async function benchSpeech(): Promise<void> {
  const clips = readClips();
  const joined = joinClips(clips, gapMs);
  row(
    "machine",
    `${cpus()[0]?.model ?? "?"}, ${availableParallelism()} cores, Node ${process.versions.node}`,
  );
  const first = await startServerProcess({ throughNpm: true });
  await first.stop();
  const { dataDir } = first;
  row("ready after npm start, first time", `${(first.startMs / 1000).toFixed(2)} s`);
  const starts: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const again = await startServerProcess({ dataDir, throughNpm: true });
    starts.push(again.startMs);
    await again.stop();
  }
  row(
    "ready after npm start, second time",
    `median ${at(starts, 0.5)} ms, worst ${at(starts, 1)} ms`,
    "≤ 2000 ms",
  );
  const server = await startServerProcess({ dataDir });
  try {
    await accuracy(server, clips);
    await work(server, joined);
    await oneStream(server, joined, clips);
    await manyAtOnce(server, joined);
  } finally {
    await server.stop();
  }
}

async function accuracy(server: ServerProcess, clips: readonly Recording[]): Promise<void> {
  let errors = 0;
  let said = 0;
  const startErrorsMs: number[] = [];
  for (const clip of clips) {
    const { summary } = await speak({ ...server, samples: clip.samples });
    const score = scoreWords(summary.words, clip.words);
    errors += score.substitutions + score.insertions + score.deletions;
    said += score.referenceWords;
    startErrorsMs.push(...score.startErrorsMs.map(Math.abs));
  }
  row("word error rate", `${((100 * errors) / said).toFixed(1)} % (${errors} of ${said} words)`, "≤ 8 %");
  row(
    "word start error",
    `median ${at(startErrorsMs, 0.5)} ms, p95 ${at(startErrorsMs, 0.95)} ms`,
    "≤ 120 ms, ≤ 350 ms",
  );
}

async function work(server: ServerProcess, joined: Recording): Promise<void> {
  const alone = await engineAlone(joined);
  const audioSeconds = joined.samples.length / joined.sampleRateHz;
  const engines = processTree(server.pid).filter((pid) => pid !== server.pid);
  const before = { engine: sum(engines.map(cpuSeconds)), server: cpuSeconds(server.pid) };
  for (let round = 0; round < rounds; round++) await speak({ ...server, samples: joined.samples });
  const perSecond = (seconds: number) => (seconds / audioSeconds / rounds).toFixed(3);
  row(
    "engine work per second of audio (file)",
    `${perSecond(sum(engines.map(cpuSeconds)) - before.engine)} s`,
    "≤ 0.10 s",
  );
  const all = sum([...engines, server.pid].map(cpuSeconds)) - before.engine - before.server;
  row(
    "all work per second of audio (file)",
    `${perSecond(all)} s, ${(all / rounds / alone).toFixed(2)} times the engine's alone`,
  );
}

/** The baseline: the same audio through the engine, without a server around it. Returns its processor time. */
async function engineAlone(joined: Recording): Promise<number> {
  const engine = createOfflineEngine({ modelDir: testModelDir() });
  await engine.warmUp();
  const used = () => sum(engine.processIds().map(cpuSeconds));
  const samples = Float32Array.from(joined.samples, (sample) => sample / 32_768);
  await driveEngine(engine, samples);
  const before = used();
  for (let round = 0; round < rounds; round++) await driveEngine(engine, samples);
  const seconds = (used() - before) / rounds;
  await engine.close();
  row(
    "the engine alone, work per second of audio (file)",
    `${(seconds / (joined.samples.length / joined.sampleRateHz)).toFixed(3)} s`,
  );
  return seconds;
}

async function oneStream(
  server: ServerProcess,
  joined: Recording,
  clips: readonly Recording[],
): Promise<void> {
  const audioSeconds = joined.samples.length / joined.sampleRateHz;
  const tree = processTree(server.pid);
  const engines = tree.filter((pid) => pid !== server.pid);
  const before = sum(engines.map(cpuSeconds));
  let largest = { rss: 0, pss: 0 };
  const watch = setInterval(() => {
    const now = memoryMb(tree);
    if (now.pss > largest.pss) largest = now;
  }, 500);
  const interimsMs: number[] = [];
  const finalsMs: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const heard = await speak({ ...server, samples: joined.samples, realtime: true, chunkMs: 20 });
    interimsMs.push(...firstResultDelays(heard, clipStarts(clips)));
    finalsMs.push(...finalDelays(heard, joined));
  }
  clearInterval(watch);
  const engineWork = (sum(engines.map(cpuSeconds)) - before) / audioSeconds / rounds;
  row("engine work per second of audio (live, interims)", `${engineWork.toFixed(3)} s`, "≤ 0.10 s");
  row(
    "first interim after speech starts",
    `median ${at(interimsMs, 0.5)} ms, p95 ${at(interimsMs, 0.95)} ms`,
    "p95 ≤ 1000 ms",
  );
  row(
    "final after speech ends",
    `median ${at(finalsMs, 0.5)} ms, p95 ${at(finalsMs, 0.95)} ms`,
    "p95 ≤ 1000 ms",
  );
  row(
    "memory, all processes, one stream",
    `${largest.pss.toFixed(0)} MB (shared pages counted once; ${largest.rss.toFixed(0)} MB counted in each)`,
    "≤ 500 MB",
  );
}

async function manyAtOnce(server: ServerProcess, joined: Recording): Promise<void> {
  const heard = await Promise.all(
    Array.from({ length: manyStreams }, async (_, index) => {
      // People do not begin at the same moment.
      await new Promise((resolve) => setTimeout(resolve, index * 470));
      return speak({ ...server, samples: joined.samples, realtime: true, chunkMs: 20 });
    }),
  );
  const delays = heard.flatMap((one) => finalDelays(one, joined));
  const lost = heard.reduce((total, one) => total + joined.samples.length - one.acknowledged, 0);
  const scores = heard.map((one) => scoreWords(one.summary.words, joined.words).rate);
  row(
    `${manyStreams} streams: final after speech ends`,
    `median ${at(delays, 0.5)} ms, p95 ${at(delays, 0.95)} ms`,
    "p95 ≤ 2500 ms",
  );
  row(
    `${manyStreams} streams: audio lost`,
    `${lost} samples; worst word error rate ${(100 * Math.max(...scores)).toFixed(1)} %`,
    "none",
  );
}

/** For each clip of the joined recording, from its first word's start until the first words of it arrived. */
function firstResultDelays(heard: Heard, startsMs: readonly number[]): number[] {
  return startsMs.map((startMs, index) => {
    const nextMs = startsMs[index + 1] ?? Infinity;
    const first = heard.events.find(
      ({ response: { event } }) =>
        event.case === "transcript" &&
        event.value.text !== "" &&
        event.value.endMs > startMs &&
        event.value.startMs < nextMs - gapMs / 2,
    );
    return first ? first.atMs - startMs : Infinity;
  });
}

/** For each final, from the end of the last word in it, as it was really spoken, until the final arrived. */
function finalDelays(heard: Heard, recording: Recording): number[] {
  return heard.events.flatMap(({ atMs, response: { event } }) => {
    if (event.case !== "transcript" || !event.value.isFinal) return [];
    // By its end: what is written as one word ("ill-disposed") may be two in the reference.
    const lastEndMs = event.value.words.at(-1)?.endMs ?? event.value.endMs;
    const last = recording.words.reduce((best, word) =>
      Math.abs(word.endMs - lastEndMs) < Math.abs(best.endMs - lastEndMs) ? word : best,
    );
    return [atMs - last.endMs];
  });
}

function clipStarts(clips: readonly Recording[]): number[] {
  let offsetMs = gapMs;
  return clips.map((clip) => {
    const startMs = offsetMs + (clip.words[0]?.startMs ?? 0);
    offsetMs += (clip.samples.length * 1000) / clip.sampleRateHz + gapMs;
    return startMs;
  });
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function at(values: readonly number[], fraction: number): string {
  return quantile([...values], fraction).toFixed(0);
}
