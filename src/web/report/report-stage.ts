/** What the parts of a report share: the place that is shown and, where this browser has the sound, played. */
import { signal } from "@preact/signals";
import type { ReadonlySignal } from "@preact/signals";
import type { RecordingPlayer } from "../audio/recording-player.ts";
import type { CitedPlace } from "./cited-place.ts";

/** Played before and after what is cited, so that it is heard in its sentence. */
const aroundMs = 250;
/** From a word on, without an end in sight. */
const onwardMs = 3_600_000;

export class ReportStage {
  readonly #place = signal<CitedPlace | undefined>(undefined);
  readonly #player = signal<RecordingPlayer | undefined>(undefined);

  readonly place: ReadonlySignal<CitedPlace | undefined> = this.#place;
  /** Undefined: this browser does not have the sound. */
  readonly player: ReadonlySignal<RecordingPlayer | undefined> = this.#player;

  setPlayer(player: RecordingPlayer): void {
    this.#player.value = player;
  }

  /** Shows the words, and plays them where that can be. */
  show(place: CitedPlace): void {
    this.#place.value = place;
    void this.#player.peek()?.play(Math.max(0, place.startMs - aroundMs), place.endMs + aroundMs);
  }

  /** Plays from there on, and shows nothing in particular. */
  playFrom(startMs: number): void {
    this.#place.value = undefined;
    void this.#player.peek()?.play(startMs, startMs + onwardMs);
  }

  stop(): void {
    this.#player.peek()?.stop();
  }

  close(): void {
    this.#player.peek()?.close();
  }
}
