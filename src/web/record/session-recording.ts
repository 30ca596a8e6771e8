/**
 * One recording from the first sample to the summary: opens the microphone or a file, keeps the sound in this browser, streams
 * it, and shows what comes back as signals. Survives lost networks and, with the next page, reloads. Draws nothing.
 */
import { signal } from "@preact/signals";
import type { ReadonlySignal } from "@preact/signals";
import { AudioEncoding } from "../../../gen/ts/parley/transcription/v1/transcription_pb.ts";
import type { SessionSummary } from "../../../gen/ts/parley/transcription/v1/transcription_pb.ts";
import { createTranscription, TranscriptionError } from "../../client/index.ts";
import type { Transcription, TranscriptionEvent, TranscriptionState } from "../../client/index.ts";
import type { Microphone } from "../audio/open-microphone.ts";
import type { Recording } from "../audio/recording-store.ts";
import { RecordingWriter } from "../audio/recording-writer.ts";
import { sampleRateHz, samplesPerMs } from "../audio/sample-rate.ts";
import type { RunningVoiceTracer } from "../audio/start-voice-tracer.ts";
import { Captions } from "./captions.ts";
import { explainFailure } from "./explain-failure.ts";
import { bytesOf, feedRecording } from "./feed-recording.ts";
import { LiveFigures } from "./live-figures.ts";
import { RecordingNotices } from "./recording-notices.ts";
import type { RecordingParts, Room } from "./recording-parts.ts";

export type RecordingPlan =
  | ({ readonly source: "microphone" } & NewSession)
  | ({
      readonly source: "file";
      readonly samples: Int16Array;
      readonly title: string;
      /** As fast as it was spoken. */
      readonly isPaced: boolean;
    } & NewSession)
  /** Goes on with what an earlier page began; `goOn` with the microphone, otherwise it ends with what is kept. */
  | { readonly source: "kept"; readonly recording: Recording; readonly goOn: boolean };

export interface NewSession {
  /** Default: a new room. */
  readonly roomName?: string;
  /** The question that is answered, for the analysis. */
  readonly question?: string;
}

export type RecordingPhase =
  | { readonly name: "opening"; readonly step: "microphone" | "room" }
  | { readonly name: "recording" }
  /** No more audio comes; the last words and the summary do. */
  | { readonly name: "finishing" }
  | { readonly name: "done"; readonly sessionId: string }
  /** Before anything was sent. */
  | { readonly name: "cancelled" }
  | {
      readonly name: "failed";
      readonly message: string;
      /** What was safe can be looked at there. */
      readonly sessionId: string | undefined;
      readonly canContinue: boolean;
    };

/** How much was said, and how much of it the server has not yet called safe. */
export interface Safety {
  readonly writtenMs: number;
  readonly unacknowledgedMs: number;
}

const safetyEveryMs = 250;

export class SessionRecording {
  readonly captions = new Captions();
  readonly figures = new LiveFigures();
  readonly notices = new RecordingNotices();
  readonly plan: RecordingPlan;
  readonly #parts: RecordingParts;
  readonly #phase = signal<RecordingPhase>({ name: "opening", step: "room" });
  readonly #connection = signal<TranscriptionState>("connecting");
  readonly #safety = signal<Safety>({ writtenMs: 0, unacknowledgedMs: 0 });
  readonly #roomName = signal<string | undefined>(undefined);
  readonly #stopping = new AbortController();
  #microphone: Microphone | undefined;
  #tracer: RunningVoiceTracer | undefined;
  #traceStartMs = 0;
  #transcription: Transcription | undefined;
  #writer: RecordingWriter | undefined;
  #recordingId: string | undefined;
  #letGo: (() => void) | undefined;
  #cancelSafety: (() => void) | undefined;
  /** The microphone's samples until they may be written. */
  #waiting: Int16Array[] | undefined = [];
  #started = Promise.withResolvers<undefined>();
  #summary: SessionSummary | undefined;
  #openingMicrophone: Promise<void> | undefined;
  /** No more audio can be written. */
  #hasEnded = false;
  #isOver = false;

  readonly phase: ReadonlySignal<RecordingPhase> = this.#phase;
  readonly connection: ReadonlySignal<TranscriptionState> = this.#connection;
  readonly safety: ReadonlySignal<Safety> = this.#safety;
  readonly roomName: ReadonlySignal<string | undefined> = this.#roomName;

  constructor(plan: RecordingPlan, parts: RecordingParts) {
    this.plan = plan;
    this.#parts = parts;
    void this.#run();
  }

  /** Once the session has ended. */
  get summary(): SessionSummary | undefined {
    return this.#summary;
  }

  get usesMicrophone(): boolean {
    return this.plan.source === "microphone" || (this.plan.source === "kept" && this.plan.goOn);
  }

  /** Ends the session: what was said is made final, and the summary follows. */
  async stop(): Promise<void> {
    if (this.#isOver || this.#stopping.signal.aborted) return;
    this.#stopping.abort();
    if (!this.#transcription) {
      await this.#close({ name: "cancelled" });
      return;
    }
    this.#phase.value = { name: "finishing" };
    await this.#stopMicrophone();
    this.#hasEnded = true;
    this.#transcription.end();
  }

  /** Gives up at once. What is kept stays, and can be gone on with. */
  leave(): Promise<void> {
    return this.#fail(new TranscriptionError("cancelled", "the recording was left"));
  }

  /** Opens the microphone again after it went away; once, however often it is asked for. */
  async reopenMicrophone(): Promise<void> {
    try {
      this.#openingMicrophone ??= this.#openMicrophone().finally(() => (this.#openingMicrophone = undefined));
      await this.#openingMicrophone;
      this.notices.dismiss("microphone-lost");
    } catch (error) {
      this.notices.say("microphone-lost", explainFailure(error).message);
    }
  }

  async #run(): Promise<void> {
    try {
      this.#tracer = this.#parts.startVoiceTracer((trace) =>
        this.figures.takeTrace(trace, this.#traceStartMs),
      );
      if (this.usesMicrophone) {
        this.#phase.value = { name: "opening", step: "microphone" };
        await this.#openMicrophone();
      }
      if (this.#isGivenUp()) return;
      this.#phase.value = { name: "opening", step: "room" };
      const room = await this.#parts.enterRoom(roomOf(this.plan));
      if (this.#isGivenUp()) return;
      if (!room.maySpeak) throw new Error(`You may watch the room “${room.roomName}”, but not speak in it.`);
      this.#roomName.value = room.roomName;
      await this.#keep(room.roomName);
      if (this.#isGivenUp()) {
        await this.#keepNothing();
        return;
      }
      this.#phase.value = { name: "recording" };
      const transcription = this.#transcribe(room);
      this.#feed(transcription).catch((error: unknown) => this.#fail(error));
      for await (const event of transcription) this.#take(event);
      await this.#finish();
    } catch (error) {
      await this.#fail(error);
    }
  }

  /** While it is opened: somebody stopped it, or left. */
  #isGivenUp(): boolean {
    return this.#isOver || this.#stopping.signal.aborted;
  }

  #transcribe(room: Room): Transcription {
    const { plan } = this;
    const resume = plan.source === "kept" ? plan.recording.resume : undefined;
    const question = plan.source === "kept" ? undefined : plan.question;
    this.#transcription = createTranscription({
      transport: this.#parts.transport,
      clock: this.#parts.clock,
      token: room.token,
      config: {
        encoding: AudioEncoding.LINEAR16,
        sampleRateHz,
        interimResults: true,
        analyzeOnEnd: true,
        ...(question !== undefined && { caseQuestion: question }),
      },
      // The server says where to go on, and sends all finals again.
      ...(resume && { resume: { ...resume, finalsReceived: 0, nextSample: 0 } }),
      onStateChange: (state) => {
        this.#connection.value = state;
        this.#measureSafety();
      },
    });
    this.#watchSafety();
    return this.#transcription;
  }

  /** Writes what there is to write; the microphone's samples follow by themselves. */
  async #feed(transcription: Transcription): Promise<void> {
    const { plan } = this;
    if (plan.source === "file") {
      await this.#feedFile(transcription, plan.samples, plan.isPaced);
      return;
    }
    let firstSample = 0;
    if (plan.source === "kept") {
      await this.#started.promise;
      await this.#feedKept(transcription, plan.recording);
      firstSample = transcription.resumePoint?.nextSample ?? 0;
      if (!plan.goOn) {
        await this.stop();
        return;
      }
      if (this.#isGivenUp()) return;
    }
    this.#traceStartMs = firstSample / samplesPerMs;
    this.#startWriter(firstSample);
    const waiting = this.#waiting ?? [];
    this.#waiting = undefined;
    for (const samples of waiting) this.#write(samples);
  }

  /** A file is kept whole before any of it is sent, so that a reload can go on with it. */
  async #feedFile(transcription: Transcription, samples: Int16Array, isPaced: boolean): Promise<void> {
    this.#startWriter(0);
    this.#writer?.append(samples);
    await this.#writer?.flush();
    await feedRecording({
      transcription,
      read: (from, to) => samples.subarray(from, to),
      fromSample: 0,
      toSample: samples.length,
      isPaced,
      clock: this.#parts.clock,
      signal: this.#stopping.signal,
      onSamples: (piece) => this.#tracer?.trace(piece),
    });
    await this.stop();
  }

  async #feedKept(transcription: Transcription, { recordingId, endSample }: Recording): Promise<void> {
    const { store, clock } = this.#parts;
    if (!store) return;
    await feedRecording({
      transcription,
      read: (from, to) => store.read(recordingId, from, to),
      fromSample: transcription.resumePoint?.nextSample ?? 0,
      toSample: endSample,
      isPaced: false,
      clock,
      signal: this.#stopping.signal,
    });
  }

  async #openMicrophone(): Promise<void> {
    this.#microphone = await this.#parts.openMicrophone({
      onSamples: (samples) => {
        this.#tracer?.trace(samples);
        if (this.#waiting) this.#waiting.push(samples);
        else this.#write(samples);
      },
      onLost: () => void this.#loseMicrophone(),
    });
    // Meanwhile it was stopped.
    if (this.#isGivenUp()) await this.#stopMicrophone();
  }

  async #loseMicrophone(): Promise<void> {
    this.notices.say("microphone-lost", "The microphone went away. What you said is kept.");
    await this.#stopMicrophone();
  }

  /** Its last samples are written. */
  async #stopMicrophone(): Promise<void> {
    const microphone = this.#microphone;
    this.#microphone = undefined;
    await microphone?.stop();
    await this.#writer?.flush();
  }

  /** Live audio need not wait for room. */
  #write(samples: Int16Array): void {
    if (this.#isOver || this.#hasEnded) return;
    this.#writer?.append(samples);
    void this.#transcription?.write(bytesOf(samples));
  }

  /** Begins or goes on with the sound's place in this browser. Without one everything works, but a reload loses more. */
  async #keep(roomName: string): Promise<void> {
    const { store, hold, userId } = this.#parts;
    const { plan } = this;
    try {
      if (plan.source === "kept") {
        this.#recordingId = plan.recording.recordingId;
      } else if (store) {
        const title = plan.source === "file" ? plan.title : "Microphone";
        const init = { userId, source: plan.source, title, roomName };
        this.#recordingId = (await store.begin(init)).recordingId;
      }
      if (this.#recordingId !== undefined) this.#letGo = hold(this.#recordingId);
    } catch {
      // As in a private window.
    }
    if (this.#recordingId === undefined) this.#sayNotKept();
  }

  /** Of a recording that never began; what an earlier page kept stays. */
  async #keepNothing(): Promise<void> {
    this.#letGo?.();
    if (this.plan.source !== "kept" && this.#recordingId !== undefined)
      await this.#parts.store?.delete(this.#recordingId);
  }

  #startWriter(firstSample: number): void {
    const { store } = this.#parts;
    if (!store || this.#recordingId === undefined) return;
    const onTrouble = () => this.#sayNotKept();
    this.#writer = new RecordingWriter({ store, recordingId: this.#recordingId, firstSample, onTrouble });
  }

  #sayNotKept(): void {
    this.notices.say(
      "not-kept",
      "This browser has no room for the sound: the report will not play all of it, and a reload may lose words.",
    );
  }

  #take(event: TranscriptionEvent): void {
    if (event.case === "sessionStarted") {
      const { sessionId, resumeToken } = event.value;
      this.#change({ resume: { sessionId, resumeToken } });
      this.#started.resolve(undefined);
    }
    if (event.case === "transcript") this.captions.take(event.value);
    if (event.case === "sessionSummary") this.#summary = event.value;
    this.figures.take(event);
    this.notices.take(event);
  }

  #change(changes: Partial<Pick<Recording, "resume" | "isFinished">>): void {
    if (this.#recordingId === undefined) return;
    // What is lost is that a reload can go on, or the recording's end: the list offers to delete it.
    this.#parts.store?.update(this.#recordingId, changes).catch(() => undefined);
  }

  #watchSafety(): void {
    this.#measureSafety();
    this.#cancelSafety = this.#parts.clock.after(safetyEveryMs, () => this.#watchSafety());
  }

  #measureSafety(): void {
    if (!this.#transcription) return;
    const { writtenMs, unacknowledgedMs } = this.#transcription;
    const old = this.#safety.peek();
    if (writtenMs !== old.writtenMs || unacknowledgedMs !== old.unacknowledgedMs)
      this.#safety.value = { writtenMs, unacknowledgedMs };
  }

  async #finish(): Promise<void> {
    this.#change({ isFinished: true });
    await this.#close({ name: "done", sessionId: this.#transcription?.sessionId ?? "" });
  }

  async #fail(error: unknown): Promise<void> {
    if (this.#isOver) return;
    // It was over already when this page went on with it.
    if (this.#summary) {
      await this.#finish();
      return;
    }
    const { message, canContinue } = explainFailure(error);
    const sessionId = this.#transcription?.sessionId;
    if (!canContinue) this.#change({ isFinished: true });
    await this.#close({
      name: "failed",
      message,
      sessionId,
      canContinue: canContinue && sessionId !== undefined && this.#recordingId !== undefined,
    });
  }

  async #close(phase: RecordingPhase): Promise<void> {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#stopping.abort();
    this.#transcription?.cancel();
    await this.#stopMicrophone();
    this.#tracer?.stop();
    this.#cancelSafety?.();
    this.#letGo?.();
    this.#phase.value = phase;
  }
}

function roomOf(plan: RecordingPlan): string | undefined {
  return plan.source === "kept" ? plan.recording.roomName : plan.roomName;
}
