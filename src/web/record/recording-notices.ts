/** What somebody should know while they speak, besides the state of the connection: one sentence a kind, newest last. */
import { signal } from "@preact/signals";
import type { ReadonlySignal } from "@preact/signals";
import { AudioGapReason, WarningCode } from "../../../gen/ts/parley/transcription/v1/transcription_pb.ts";
import type { AudioGap } from "../../../gen/ts/parley/transcription/v1/transcription_pb.ts";
import type { TranscriptionEvent } from "../../client/index.ts";
import { sampleRateHz } from "../audio/sample-rate.ts";

export interface Notice {
  readonly kind: NoticeKind;
  readonly text: string;
}

export type NoticeKind = "microphone-lost" | "not-kept" | "gap" | "engine" | "storage" | "continued";

export class RecordingNotices {
  readonly #all = signal<readonly Notice[]>([]);
  #lostSamples = 0n;

  readonly all: ReadonlySignal<readonly Notice[]> = this.#all;

  /** Replaces an earlier one of its kind. */
  say(kind: NoticeKind, text: string): void {
    this.#all.value = [...this.#all.peek().filter((notice) => notice.kind !== kind), { kind, text }];
  }

  dismiss(kind: NoticeKind): void {
    this.#all.value = this.#all.peek().filter((notice) => notice.kind !== kind);
  }

  take(event: TranscriptionEvent): void {
    if (event.case === "audioGap") this.#sayGap(event.value);
    if (event.case === "audioAck") this.dismiss("storage");
    if (event.case !== "warning") return;
    switch (event.value.code) {
      case WarningCode.ENGINE_RESTARTED:
        this.say("engine", "The speech engine was restarted. Captions may be late for a moment.");
        return;
      case WarningCode.ENGINE_CHANGED:
        this.say("engine", "Another speech engine took over.");
        return;
      case WarningCode.STORAGE_SLOW:
        this.say("storage", "The server is slow to store what you say. Your audio is kept until it has.");
        return;
      case WarningCode.UNSPECIFIED:
      case WarningCode.TOKEN_EXPIRING: // is renewed
      case WarningCode.SERVER_STOPPING: // shown as the connection's state
        return;
    }
  }

  #sayGap({ firstSample, endSample, reason }: AudioGap): void {
    this.#lostSamples += endSample - firstSample;
    const seconds = (Number(this.#lostSamples) / sampleRateHz).toFixed(1);
    const cause =
      reason === AudioGapReason.ENGINE_FAILED
        ? "the speech engine failed on it"
        : "this browser no longer had it";
    this.say("gap", `${seconds} s of audio are lost: ${cause}.`);
  }
}
