/**
 * One speaker of the soak: sessions of marked audio at real time, one after the other, through the client that apps
 * use. It counts, and checks that every mark came back; memory is not its concern.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { AudioEncoding } from "../../gen/ts/parley/transcription/v1/transcription_pb.ts";
import { createTranscription } from "../../src/client/index.ts";
import type { Transcription } from "../../src/client/index.ts";
import type { Random } from "../chaos/random.ts";
import { markedAudio } from "../fakes/marker-engine.ts";

export interface SoakCounts {
  sessions: number;
  streams: number;
  events: number;
  audioMs: number;
  /** What went wrong, with the number of times. */
  readonly errors: Map<string, number>;
}

export interface SoakSpeaker {
  readonly url: string;
  readonly mintToken: () => Promise<string>;
  readonly random: Random;
  readonly counts: SoakCounts;
  /** Reads events slowly while it speaks. */
  readonly isSlow: boolean;
  /** Its connections are cut now and then, so words at a cut may be heard in two parts. */
  readonly isCut: boolean;
  readonly until: () => boolean;
}

const rate = 16_000;
const chunkMs = 100;
const slowReadMs = 250;
/** Marks of one utterance: 3.2 s. */
const marksTogether = 8;

export async function soakUntil(speaker: SoakSpeaker): Promise<void> {
  await sleep(speaker.random.between(0, 5_000)); // people do not begin at the same moment
  while (!speaker.until()) {
    try {
      await speakSession(speaker);
      speaker.counts.sessions += 1;
    } catch (error) {
      const what = error instanceof Error ? error.message : String(error);
      speaker.counts.errors.set(what, (speaker.counts.errors.get(what) ?? 0) + 1);
      await sleep(1_000);
    }
  }
}

async function speakSession({
  url,
  mintToken,
  random,
  counts,
  isSlow,
  isCut,
  until,
}: SoakSpeaker): Promise<void> {
  const token = await mintToken();
  const transcription = createTranscription({
    transport: () => {
      counts.streams += 1;
      return createGrpcTransport({ baseUrl: url, idleConnectionTimeoutMs: 1_000 });
    },
    token,
    config: { encoding: AudioEncoding.LINEAR16, sampleRateHz: rate },
    timing: { firstBackoffMs: 50, maxBackoffMs: 1_000 },
  });
  const speech = { isOver: false };
  const utterances = Math.ceil(random.between(2, 10));
  const writing = write(transcription, utterances, counts, until).then((said) => {
    speech.isOver = true;
    return said;
  });
  let transcript: string | undefined;
  for await (const event of transcription) {
    counts.events += 1;
    if (event.case === "sessionSummary") transcript = event.value.transcript;
    if (isSlow && !speech.isOver) await sleep(slowReadMs);
  }
  const expected = (await writing).map((mark) => `w${mark}`);
  const heard = (transcript ?? "").split(" ").filter((word, at, all) => !isCut || word !== all[at - 1]);
  if (heard.join(" ") !== expected.join(" ")) throw new Error("a transcript is not what was said");
}

/** Resolves with the marks that were said. Says fewer when the soak is over. */
async function write(
  transcription: Transcription,
  utterances: number,
  counts: SoakCounts,
  until: () => boolean,
): Promise<number[]> {
  const said: number[] = [];
  const startedAt = performance.now();
  let sentMs = 0;
  for (let utterance = 0; utterance < utterances && !until(); utterance++) {
    const marks = Array.from({ length: marksTogether }, (_, index) => utterance * marksTogether + index + 1);
    said.push(...marks);
    const audio = markedAudio(marks);
    const chunk = (rate * chunkMs) / 1000;
    for (let at = 0; at < audio.length; at += chunk) {
      const piece = audio.subarray(at, at + chunk);
      await transcription.write(new Uint8Array(piece.buffer, piece.byteOffset, piece.byteLength));
      sentMs += chunkMs;
      counts.audioMs += chunkMs;
      await sleep(Math.max(0, sentMs - (performance.now() - startedAt)));
    }
  }
  transcription.end();
  return said;
}
