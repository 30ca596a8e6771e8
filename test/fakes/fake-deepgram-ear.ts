/**
 * What the FAKE Deepgram "hears" on one connection, said in the shapes of Deepgram's live API: a run of samples of value
 * k/1000 is the word "w<k>" (see markedAudio), from mark 500 on by the second speaker, and mark 900 is the filler "um".
 * Not a speech recogniser: its results prove how the wire is handled, and nothing about Deepgram's hearing.
 */

const rate = 16_000;
/** Less than this, and Finalize is not answered. */
const noticeableSamples = rate * 0.05;
const interimSamples = rate;
/** Without an end of speech, a result is final after so much, up to the last whole word. */
const longSamples = rate * 5;
const silentSamples = rate * 3;
export const fillerMark = 900;
const secondSpeakerMark = 500;

interface HeardWord {
  readonly mark: number;
  readonly start: number;
  readonly end: number;
}

export class FakeEar {
  readonly #query: URLSearchParams;
  readonly #say: (message: object) => void;
  readonly #isHesitant: boolean;
  readonly #endpointingSamples: number;
  /** Samples since this connection began: times start at 0 on each. */
  #position = 0;
  #resultStart = 0;
  #lastResultAt = 0;
  #words: HeardWord[] = [];
  #mark = 0;
  #markStart = 0;
  #silentSince = 0;
  #lastFinalWordEnd: number | undefined;
  #isSpeech = false;

  constructor(query: URLSearchParams, say: (message: object) => void, { isHesitant = false } = {}) {
    this.#query = query;
    this.#isHesitant = isHesitant;
    this.#say = say;
    this.#endpointingSamples = (Number(query.get("endpointing") ?? 10) * rate) / 1000;
  }

  get position(): number {
    return this.#position;
  }

  hear(samples: Int16Array): void {
    for (const sample of samples) this.#hearSample(Math.round((sample * 1000) / 32_768));
    if (this.#has("interim_results") && this.#position - this.#lastResultAt >= interimSamples)
      this.#results(this.#words, this.#position, {});
  }

  finalize(): void {
    if (this.#position - this.#resultStart < noticeableSamples) return;
    this.#endMark();
    this.#final(this.#position, { from_finalize: true });
  }

  /** The last final, and the account of all. */
  close(): void {
    this.#endMark();
    if (this.#position > this.#resultStart) this.#final(this.#position, { speech_final: true });
    this.#say({
      type: "Metadata",
      transaction_key: "deprecated",
      request_id: "fa4e0000-0000-4000-8000-000000000000",
      sha256: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
      created: "2026-11-22T00:00:00.000Z",
      duration: Math.fround(this.#position / rate),
      channels: this.#position === 0 ? 0 : 1,
    });
  }

  #hearSample(mark: number): void {
    if (mark !== this.#mark) {
      this.#endMark();
      this.#mark = mark;
      this.#markStart = this.#position;
      if (mark !== 0 && !this.#isSpeech) {
        this.#isSpeech = true;
        if (this.#has("vad_events"))
          this.#say({ type: "SpeechStarted", channel: [0], timestamp: this.#position / rate });
      }
    }
    this.#position += 1;
    if (this.#isHesitant) return;
    const silence = this.#mark === 0 ? this.#position - this.#silentSince : 0;
    const length = this.#position - this.#resultStart;
    const hasWords = this.#words.length > 0;
    if (hasWords && silence >= this.#endpointingSamples) this.#final(this.#position, { speech_final: true });
    else if (hasWords && length >= longSamples) this.#final(this.#words.at(-1)!.end, {});
    else if (!hasWords && this.#mark === 0 && length >= silentSamples) this.#final(this.#position, {});
    this.#utteranceEnd(silence);
  }

  #endMark(): void {
    if (this.#mark === 0) return;
    this.#words.push({ mark: this.#mark, start: this.#markStart, end: this.#position });
    this.#silentSince = this.#position;
    this.#mark = 0;
  }

  #utteranceEnd(silence: number): void {
    const gap = (Number(this.#query.get("utterance_end_ms") ?? Infinity) * rate) / 1000;
    if (this.#lastFinalWordEnd === undefined || silence < gap) return;
    this.#say({ type: "UtteranceEnd", channel: [0, 1], last_word_end: this.#lastFinalWordEnd / rate });
    this.#lastFinalWordEnd = undefined;
    this.#isSpeech = false;
  }

  #final(end: number, how: { speech_final?: boolean; from_finalize?: boolean }): void {
    this.#results(this.#words, end, { ...how, is_final: true });
    this.#lastFinalWordEnd = this.#words.at(-1)?.end ?? this.#lastFinalWordEnd;
    if (how.speech_final === true) this.#isSpeech = false;
    this.#words = [];
    this.#resultStart = end;
  }

  #results(words: readonly HeardWord[], end: number, how: Record<string, boolean>): void {
    this.#lastResultAt = this.#position;
    const said = words.filter((word) => word.mark !== fillerMark || this.#has("filler_words"));
    const written = said.map((word, index) => {
      const plain = word.mark === fillerMark ? "um" : `w${word.mark}`;
      const isLast = index === said.length - 1 && how["speech_final"] === true;
      return {
        word: plain,
        // Deepgram counts in single precision.
        start: Math.fround(word.start / rate),
        end: Math.fround(word.end / rate),
        confidence: 0.99,
        ...(this.#has("punctuate") && { punctuated_word: isLast ? `${plain}.` : plain }),
        ...(this.#has("diarize") && { speaker: word.mark >= secondSpeakerMark ? 1 : 0 }),
      };
    });
    this.#say({
      type: "Results",
      channel_index: [0, 1],
      duration: Math.fround((end - this.#resultStart) / rate),
      start: Math.fround(this.#resultStart / rate),
      is_final: false,
      speech_final: false,
      from_finalize: false,
      ...how,
      channel: {
        alternatives: [
          {
            transcript: written.map((word) => word.punctuated_word ?? word.word).join(" "),
            confidence: written.length > 0 ? 0.99 : 0,
            words: written,
          },
        ],
      },
      metadata: {
        request_id: "fa4e0000-0000-4000-8000-000000000000",
        model_info: { name: "fake", version: "0000-00-00.0", arch: "fake" },
        model_uuid: "fa4e0000-0000-4000-8000-000000000001",
      },
    });
  }

  #has(name: string): boolean {
    return this.#query.get(name) === "true";
  }
}
