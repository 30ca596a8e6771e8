/** Words with what is between them: silence as wide as it is long, and hesitations marked. For captions and for reports. */
import type { ComponentChildren } from "preact";
import { LONG_PAUSE_MS } from "../../delivery/find-pauses.ts";
import type { RowWord } from "./spoken-row.ts";
import "./spoken-words.css";

/** So wide is a second of silence, in em, up to so much. */
const emPerSecond = 1.6;
const widestPauseEm = 9;

export interface SpokenWordProps {
  readonly word: RowWord;
  /** More classes of the word, such as "interim". */
  readonly class?: string;
  readonly children?: ComponentChildren;
}

export function SpokenWord({ word, class: more = "", children }: SpokenWordProps) {
  const { text, isFiller, pauseMs } = word;
  return (
    <>
      {pauseMs !== undefined && <Pause ms={pauseMs} />}
      <span class={`word ${isFiller ? "filler " : ""}${more}`} title={isFiller ? "A filler" : undefined}>
        {children ?? text}
      </span>{" "}
    </>
  );
}

function Pause({ ms }: { readonly ms: number }) {
  const seconds = (ms / 1000).toFixed(1);
  const width = { width: `${Math.min((ms / 1000) * emPerSecond, widestPauseEm)}em` };
  if (ms < LONG_PAUSE_MS) {
    return <span class="pause" style={width} title={`${seconds} s of silence`} aria-hidden="true" />;
  }
  return (
    <span class="pause long" style={width}>
      <span class="pause-label">
        <span class="visually-hidden">Pause of </span>
        {seconds} s
      </span>
    </span>
  );
}
