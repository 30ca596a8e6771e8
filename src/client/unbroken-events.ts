/**
 * Makes one sequence of events of those of several streams: drops what the app has had already, and takes back what a
 * stream that broke left open. Pure; never knows why a stream broke.
 */
import { create } from "@bufbuild/protobuf";
import { SpeechState, TranscriptSchema } from "../../gen/ts/parley/transcription/v1/transcription_pb.ts";
import type {
  AudioGap,
  SpeechActivity,
  Transcript,
} from "../../gen/ts/parley/transcription/v1/transcription_pb.ts";
import type { TranscriptionEvent } from "./transcription-options.ts";

/** A segment without its final; also one that turned out to hold no words, for its number may be used again. */
interface OpenSegment {
  /** The last interim that the app has. */
  shown: Transcript;
  /** Added to the revisions of the stream that is open, so that they never fall. */
  revisionOffset: number;
  /** The stream that it is from is broken, and no other has gone on with it. */
  isOrphan: boolean;
}

export class UnbrokenEvents {
  readonly #open = new Map<number, OpenSegment>();
  readonly #finals = new Set<number>();
  readonly #gaps = new Set<string>();
  readonly #speech = new Map<number, SpeechActivity>();
  #finalsReceived: number;
  #hasStarted = false;
  #acknowledged = 0n;

  constructor(finalsReceived: number) {
    this.#finalsReceived = finalsReceived;
  }

  /** Finals of the session so far, each counted once. */
  get finalsReceived(): number {
    return this.#finalsReceived;
  }

  /** What the app is to see because of this event. */
  take(event: TranscriptionEvent): TranscriptionEvent[] {
    switch (event.case) {
      case "sessionStarted": {
        if (this.#hasStarted) return [];
        this.#hasStarted = true;
        return [event];
      }
      case "audioAck": {
        if (event.value.throughSample <= this.#acknowledged) return [];
        this.#acknowledged = event.value.throughSample;
        return [...this.#takeBack((shown) => shown.endMs <= event.value.throughMs), event];
      }
      case "transcript":
        return this.#takeTranscript(event.value);
      case "speechActivity":
        return this.#isNewActivity(event.value) ? [event] : [];
      case "audioGap":
        return this.#isNewGap(event.value) ? [event] : [];
      case "sessionSummary":
        return [...this.#takeBack(() => true), event];
      case "deliveryUpdate":
      case "warning":
        return [event];
    }
  }

  /** The stream is over, and another will follow. */
  streamBroke(): void {
    for (const segment of this.#open.values()) {
      segment.isOrphan = true;
      segment.revisionOffset = segment.shown.revision + 1;
    }
  }

  #takeTranscript(given: Transcript): TranscriptionEvent[] {
    const { segmentIndex, channel } = given;
    if (this.#finals.has(segmentIndex)) return [];
    const segment = this.#open.get(segmentIndex);
    const shown = given;
    shown.revision += segment?.revisionOffset ?? 0;
    if (given.isFinal) {
      this.#finals.add(segmentIndex);
      this.#finalsReceived += 1;
      this.#open.delete(segmentIndex);
    } else if (segment) {
      segment.shown = shown;
      segment.isOrphan = false;
    } else {
      this.#open.set(segmentIndex, { shown, revisionOffset: 0, isOrphan: false });
    }
    // Segments of a channel come one after the other: a later one says that the orphan will not be gone on with.
    const passed = this.#takeBack(
      (orphan) => orphan.channel === channel && orphan.segmentIndex < segmentIndex,
    );
    return [...passed, { case: "transcript", value: shown }];
  }

  #takeBack(isPassed: (shown: Transcript) => boolean): TranscriptionEvent[] {
    const events: TranscriptionEvent[] = [];
    for (const segment of this.#open.values()) {
      const { isOrphan, shown } = segment;
      if (!isOrphan || !isPassed(shown)) continue;
      segment.isOrphan = false;
      if (shown.text === "") continue;
      const { segmentIndex, startMs, endMs, channel, wordTimes } = shown;
      const revision = shown.revision + 1;
      const value = create(TranscriptSchema, { segmentIndex, revision, startMs, endMs, channel, wordTimes });
      segment.shown = value;
      segment.revisionOffset = revision + 1;
      events.push({ case: "transcript", value });
    }
    return events;
  }

  /** A stream that continues hears some audio again, and its activity with it. */
  #isNewActivity(activity: SpeechActivity): boolean {
    const last = this.#speech.get(activity.channel);
    const lastState = last?.state ?? SpeechState.ENDED;
    if (activity.state === lastState || activity.atMs < (last?.atMs ?? 0)) return false;
    this.#speech.set(activity.channel, activity);
    return true;
  }

  #isNewGap({ firstSample, endSample }: AudioGap): boolean {
    const key = `${firstSample}-${endSample}`;
    if (this.#gaps.has(key)) return false;
    this.#gaps.add(key);
    return true;
  }
}
