/**
 * Turns one lane's events into captions on the session clock: numbers segments, counts revisions, and takes back an
 * interim whose segment turned out to hold no words. Holds no audio.
 */
import type { EngineEvent, EngineWord, SampleSpan } from "../engines/speech-engine.ts";
import type { StoredSegment, StoredWord } from "../session-store.ts";
import type { SessionEvent, TranscriptEvent, WordTimes } from "./session-events.ts";

export interface LaneCaptionsOptions {
  readonly channel: number;
  readonly engineRateHz: number;
  readonly clientRateHz: number;
  /** Where the lane's clock begins on the session clock, in samples at the client's rate. */
  readonly originSample: number;
  /** The session's next segment index. */
  readonly takeSegmentIndex: () => number;
  /** The session's next number of a final. */
  readonly takeFinalNumber: () => number;
}

interface OpenSegment {
  readonly index: number;
  /** Infinity once its caption was taken back; the next interim or final uses its number. */
  startSample: number;
  revisions: number;
}

export interface TakenEvent {
  /** To be sent at once. */
  readonly events: readonly SessionEvent[];
  /** To be committed, and sent afterwards. */
  readonly segment?: StoredSegment;
}

export class LaneCaptions {
  readonly #options: LaneCaptionsOptions;
  /** The segment that interims were sent for. */
  #open: OpenSegment | undefined;
  /** Revisions that finals will carry, by segment. */
  readonly #finalRevisions = new Map<number, number>();
  #originSample: number;
  #boundarySample: number;

  constructor(options: LaneCaptionsOptions) {
    this.#options = options;
    this.#originSample = options.originSample;
    this.#boundarySample = options.originSample;
  }

  /** The engine's boundary in samples of the client's rate, rounded down. */
  get boundarySample(): number {
    return this.#boundarySample;
  }

  /** The lane begins later than was thought. Only before it was given audio. */
  beginAt(originSample: number): void {
    this.#originSample = originSample;
    this.#boundarySample = originSample;
  }

  /** Of the session clock, at the client's rate, rounded down. */
  toClientSample(engineSample: number): number {
    const { clientRateHz, engineRateHz } = this.#options;
    return this.#originSample + Math.floor((engineSample * clientRateHz) / engineRateHz);
  }

  take(event: EngineEvent, wordTimes: WordTimes): TakenEvent {
    switch (event.type) {
      case "speech":
        return {
          events: [
            {
              type: "speech",
              state: event.state,
              atMs: this.#toMs(event.atSample),
              channel: this.#options.channel,
            },
          ],
        };
      case "interim":
        return { events: [this.#interim(event, wordTimes)] };
      case "final":
        return { events: [], segment: this.#final(event, wordTimes) };
      case "boundary":
        return { events: this.#boundary(event.throughSample, wordTimes) };
    }
  }

  /** The event for a final of this lane, once it is committed. */
  finalEvent(segment: StoredSegment): TranscriptEvent {
    const revision = this.#finalRevisions.get(segment.segmentIndex) ?? 0;
    this.#finalRevisions.delete(segment.segmentIndex);
    return finalEvent(segment, revision);
  }

  #interim(event: Extract<EngineEvent, { type: "interim" }>, wordTimes: WordTimes): TranscriptEvent {
    this.#open ??= { index: this.#options.takeSegmentIndex(), startSample: event.startSample, revisions: 0 };
    this.#open.startSample = event.startSample;
    const words = event.words.map((word) => this.#toWord(word));
    const startMs = this.#toMs(event.startSample);
    return {
      type: "transcript",
      segmentIndex: this.#open.index,
      revision: this.#open.revisions++,
      isFinal: false,
      text: event.text,
      words,
      startMs,
      endMs: words.at(-1)?.endMs ?? startMs,
      channel: this.#options.channel,
      wordTimes,
    };
  }

  #final(event: Extract<EngineEvent, { type: "final" }>, wordTimes: WordTimes): StoredSegment {
    const index = this.#open?.index ?? this.#options.takeSegmentIndex();
    this.#finalRevisions.set(index, this.#open?.revisions ?? 0);
    this.#open = undefined;
    return {
      segmentIndex: index,
      finalNumber: this.#options.takeFinalNumber(),
      channel: this.#options.channel,
      wordTimes,
      startSample: this.toClientSample(event.startSample),
      endSample: this.toClientSample(event.endSample),
      startMs: this.#toMs(event.startSample),
      endMs: this.#toMs(event.endSample),
      text: event.text,
      words: event.words.map((word) => this.#toWord(word)),
      voiced: event.voiced.map((span) => this.#toSpan(span)),
    };
  }

  /** An interim that lies before the boundary and got no final held no words: its caption is taken back. */
  #boundary(throughSample: number, wordTimes: WordTimes): SessionEvent[] {
    this.#boundarySample = Math.max(this.#boundarySample, this.toClientSample(throughSample));
    const open = this.#open;
    if (!open || throughSample <= open.startSample) return [];
    const nothing = { type: "interim", startSample: open.startSample, text: "", words: [] } as const;
    const empty = this.#interim(nothing, wordTimes);
    open.startSample = Infinity;
    return [empty];
  }

  #toWord(word: EngineWord): StoredWord {
    return {
      text: word.text,
      ...this.#toSpan(word),
      ...(word.confidence === undefined ? {} : { confidence: word.confidence }),
      ...(word.speaker === undefined ? {} : { speaker: word.speaker }),
    };
  }

  #toSpan(span: SampleSpan): { startMs: number; endMs: number } {
    return { startMs: this.#toMs(span.startSample), endMs: this.#toMs(span.endSample) };
  }

  #toMs(engineSample: number): number {
    const { clientRateHz, engineRateHz } = this.#options;
    return Math.round((this.#originSample * 1000) / clientRateHz + (engineSample * 1000) / engineRateHz);
  }
}

/** A final as the client gets it. */
export function finalEvent(segment: StoredSegment, revision: number): TranscriptEvent {
  const { segmentIndex, text, words, startMs, endMs, channel, wordTimes } = segment;
  return {
    type: "transcript",
    segmentIndex,
    revision,
    isFinal: true,
    text,
    words,
    startMs,
    endMs,
    channel,
    wordTimes,
  };
}
