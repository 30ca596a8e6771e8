/**
 * Keeps the history of one session: an interceptor that writes down every message of Transcribe as it passes, and wakes
 * whoever waits for a certain one. It changes nothing.
 */
import type { Interceptor } from "@connectrpc/connect";
import { AudioGapReason, SpeechState } from "../../gen/ts/parley/transcription/v1/transcription_pb.ts";
import type {
  Transcript,
  TranscribeRequest,
  TranscribeResponse,
} from "../../gen/ts/parley/transcription/v1/transcription_pb.ts";
import type { Final, ServerEvent, Snapshot, WireEvent } from "./history.ts";

const bytesPerSample = 2;

export class Recorder {
  readonly wire: WireEvent[] = [];
  readonly seenByApp: Final[] = [];
  readonly snapshots: Snapshot[] = [];
  readonly #onEvent: (event: WireEvent) => void;
  #streams = 0;

  /** `onEvent` is called with each event of the wire, at once. */
  constructor(onEvent: (event: WireEvent) => void) {
    this.#onEvent = onEvent;
  }

  get sessionId(): string | undefined {
    const started = this.wire.find((event) => event.kind === "started");
    return started?.kind === "started" ? started.sessionId : undefined;
  }

  /** For the transport that the session's client uses, and for no other session's. */
  readonly interceptor: Interceptor = (next) => async (request) => {
    if (!request.stream || request.method.name !== "Transcribe") return next(request);
    const stream = this.#streams++;
    try {
      const response = await next({ ...request, message: this.#requests(request.message, stream) });
      if (!response.stream) return response;
      return { ...response, message: this.#responses(response.message, stream) };
    } catch (error) {
      this.#closed(stream, error);
      throw error;
    }
  };

  async *#requests<T>(messages: AsyncIterable<T>, stream: number): AsyncGenerator<T> {
    for await (const message of messages) {
      const { message: said } = message as unknown as TranscribeRequest;
      if (said.case === "config") {
        const { resume } = said.value;
        this.#add({
          kind: "opened",
          stream,
          atMs: performance.now(),
          ...(resume && { finalsReceived: resume.finalsReceived ?? 0 }),
        });
      }
      if (said.case === "audio") {
        const samples = said.value.data.length / bytesPerSample;
        this.#add({ kind: "sent", stream, firstSample: Number(said.value.firstSample), samples });
      }
      yield message;
    }
  }

  async *#responses<T>(messages: AsyncIterable<T>, stream: number): AsyncGenerator<T> {
    let failure: unknown;
    try {
      for await (const message of messages) {
        const response = message as unknown as TranscribeResponse;
        const { sequence } = response;
        this.#add({ stream, sequence, atMs: performance.now(), ...toServerEvent(response) });
        yield message;
      }
    } catch (error) {
      failure = error;
      throw error;
    } finally {
      this.#closed(stream, failure);
    }
  }

  #closed(stream: number, failure: unknown): void {
    const error = failure instanceof Error ? failure.message : undefined;
    this.#add({
      kind: "closed",
      stream,
      atMs: performance.now(),
      ...(error === undefined ? {} : { error }),
    });
  }

  #add(event: WireEvent): void {
    this.wire.push(event);
    this.#onEvent(event);
  }
}

export function toFinal({ segmentIndex, text, startMs, endMs, words }: Transcript): Final {
  return {
    segmentIndex,
    text,
    startMs,
    endMs,
    words: words.map((word) => ({ text: word.text, startMs: word.startMs, endMs: word.endMs })),
  };
}

function toServerEvent({ event }: TranscribeResponse): ServerEvent {
  switch (event.case) {
    case "sessionStarted": {
      const { sessionId, epoch, nextSample } = event.value;
      return { kind: "started", sessionId, epoch, nextSample: Number(nextSample) };
    }
    case "audioAck":
      return { kind: "ack", throughSample: Number(event.value.throughSample) };
    case "transcript":
      return event.value.isFinal ? { kind: "final", final: toFinal(event.value) } : { kind: "other" };
    case "speechActivity":
      return { kind: "speech", state: event.value.state === SpeechState.STARTED ? "started" : "ended" };
    case "audioGap": {
      const { firstSample, endSample, reason } = event.value;
      const [name] = Object.entries(AudioGapReason).find(([, value]) => value === reason) ?? ["?"];
      return { kind: "gap", firstSample: Number(firstSample), endSample: Number(endSample), reason: name };
    }
    case "sessionSummary":
      return { kind: "summary", finals: event.value.transcriptSegments.map(toFinal) };
    case "deliveryUpdate":
    case "warning":
    case undefined:
      return { kind: "other" };
  }
}
