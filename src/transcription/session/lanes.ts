/**
 * The channels of a session, each with a lane of its own: what comes from the engines becomes captions and finals on the
 * session clock, and one position up to which all channels were heard. Commits and acknowledges nothing.
 */
import type { Clock } from "../../clock.ts";
import type { AudioFormat } from "../audio/audio-format.ts";
import { createResampler } from "../audio/resampler.ts";
import type { EngineChoice } from "../engines/engine-choice.ts";
import type { EngineError, EngineEvent, SpeechEngine } from "../engines/speech-engine.ts";
import type { SessionError } from "../session-error.ts";
import type { AudioGap, EngineRecord, StoredSegment } from "../session-store.ts";
import { engineRecord } from "./engine-record.ts";
import { LaneCaptions } from "./lane-captions.ts";
import { Lane } from "./lane.ts";
import type { SessionEvent, TranscriptEvent } from "./session-events.ts";

export interface LanesOptions {
  readonly engines: EngineChoice;
  readonly clock: Clock;
  readonly format: AudioFormat;
  readonly languageCode: string;
  readonly interimResults: boolean;
  readonly keyterms: readonly string[];
  readonly diarize: boolean;
  /** For each channel the sample of the session clock from which on it is to be heard. */
  readonly startSamples: readonly number[];
  readonly nextSegmentIndex: number;
  readonly nextFinalNumber: number;
  /** To be sent at once. */
  readonly onEvent: (event: SessionEvent) => void;
  /** To be committed. */
  readonly onFinal: (segment: StoredSegment) => void;
  /** Every final before this sample of the session clock was delivered. May repeat itself. */
  readonly onHeard: (throughSample: number) => void;
  readonly onGap: (gap: AudioGap) => void;
  readonly onRestart: (error: EngineError) => void;
  readonly onChange: (engine: SpeechEngine, error: EngineError) => void;
  /** A lane failed for good. */
  readonly onFailure: (error: SessionError) => void;
}

export class Lanes {
  readonly #options: LanesOptions;
  readonly #lanes: Lane[] = [];
  readonly #captions: LaneCaptions[] = [];
  readonly #startSamples: number[];
  #nextSegmentIndex: number;
  #nextFinalNumber: number;

  constructor(options: LanesOptions) {
    this.#options = options;
    this.#startSamples = [...options.startSamples];
    this.#nextSegmentIndex = options.nextSegmentIndex;
    this.#nextFinalNumber = options.nextFinalNumber;
  }

  /** Opens the engine streams. Rejects as Lane.open does; then `abort` releases what was opened. */
  async open(): Promise<void> {
    for (let channel = 0; channel < this.#options.format.channelCount; channel++) {
      await this.#openLane(channel);
    }
  }

  get nextSegmentIndex(): number {
    return this.#nextSegmentIndex;
  }

  get nextFinalNumber(): number {
    return this.#nextFinalNumber;
  }

  /** The engines that listen now. */
  get engine(): EngineRecord {
    const engines = this.#lanes.map((lane) => lane.engine);
    return engineRecord(engines, this.#options.languageCode);
  }

  /** Nothing before this sample will come. Only before the first write. */
  beginAt(sample: number): void {
    this.#captions.forEach((captions, channel) => {
      const start = Math.max(sample, this.#startSamples[channel] ?? 0);
      this.#startSamples[channel] = start;
      captions.beginAt(start);
    });
    this.#options.onHeard(this.#heardThrough());
  }

  /** Takes one array a channel, of samples from `firstSample` on; resolves when there is room for more. */
  async write(firstSample: number, channels: readonly Float32Array[]): Promise<void> {
    await Promise.all(
      this.#lanes.map(async (lane, channel) => {
        const samples = channels[channel] ?? new Float32Array(0);
        const skipped = Math.max(0, (this.#startSamples[channel] ?? 0) - firstSample);
        if (skipped < samples.length) await lane.write(skipped === 0 ? samples : samples.subarray(skipped));
      }),
    );
  }

  async finalize(): Promise<void> {
    await Promise.all(this.#lanes.map((lane) => lane.finalize()));
  }

  async end(): Promise<void> {
    await Promise.all(this.#lanes.map((lane) => lane.end()));
  }

  abort(): void {
    for (const lane of this.#lanes) lane.abort();
  }

  /** The event for a final, once it is committed. */
  finalEvent(segment: StoredSegment): TranscriptEvent | undefined {
    return this.#captions[segment.channel]?.finalEvent(segment);
  }

  async #openLane(channel: number): Promise<void> {
    const { engines, clock, format, languageCode, interimResults, keyterms, diarize } = this.#options;
    const captions = new LaneCaptions({
      channel,
      engineRateHz: engines.sampleRateHz,
      clientRateHz: format.sampleRateHz,
      originSample: this.#startSamples[channel] ?? 0,
      takeSegmentIndex: () => this.#nextSegmentIndex++,
      takeFinalNumber: () => this.#nextFinalNumber++,
    });
    const lane = new Lane({
      engines,
      resampler: await createResampler(format.sampleRateHz, engines.sampleRateHz),
      languageCode,
      interimResults,
      keyterms,
      diarize,
      clock,
      onEvent: (event, engine) => this.#onEngineEvent(captions, event, engine),
      onRestart: this.#options.onRestart,
      onChange: this.#options.onChange,
      onGap: (start, end) =>
        this.#options.onGap({
          firstSample: captions.toClientSample(start),
          endSample: captions.toClientSample(end),
          reason: "engine-failed",
          ...(format.channelCount > 1 && { channel }),
        }),
      onFailure: this.#options.onFailure,
    });
    this.#lanes.push(lane);
    this.#captions.push(captions);
    await lane.open();
  }

  #onEngineEvent(captions: LaneCaptions, event: EngineEvent, engine: SpeechEngine): void {
    const { events, segment } = captions.take(event, engine.capabilities.wordTimes);
    for (const said of events) this.#options.onEvent(said);
    if (segment) this.#options.onFinal(segment);
    if (event.type === "boundary") this.#options.onHeard(this.#heardThrough());
  }

  #heardThrough(): number {
    return Math.min(...this.#captions.map((captions) => captions.boundarySample));
  }
}
