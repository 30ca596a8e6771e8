/** The captions of a running recording: each row drawn anew only when its segment changes, and finals read out calmly. */
import { Component } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { formatDuration } from "../ui/format.ts";
import { VirtualList } from "../ui/virtual-list.tsx";
import type { Captions } from "./captions.ts";
import type { SpokenRow } from "./spoken-row.ts";
import { SpokenWord } from "./spoken-words.tsx";

const charactersPerLine = 60;
const lineHeightPx = 33;

export function CaptionsView({ captions, hint }: { readonly captions: Captions; readonly hint: string }) {
  const rows = captions.rows.value;
  return (
    <section class="captions card" aria-label="Captions">
      {rows.length === 0 && <p class="captions-hint soft">{hint}</p>}
      <VirtualList
        label="Captions so far"
        rows={rows}
        keyOf={({ segmentIndex }) => segmentIndex}
        estimateHeight={({ words }) => {
          const characters = words.reduce((sum, { text }) => sum + text.length + 1, 0);
          return 16 + lineHeightPx * Math.ceil(characters / charactersPerLine);
        }}
        followsEnd
      >
        {(row) => <CaptionRow row={row} />}
      </VirtualList>
      <ReadOut captions={captions} />
    </section>
  );
}

class CaptionRow extends Component<{ readonly row: SpokenRow }> {
  override shouldComponentUpdate({ row }: { readonly row: SpokenRow }) {
    return row !== this.props.row;
  }

  override render() {
    const { words, startMs, isFinal } = this.props.row;
    return (
      <div class="caption-row">
        <span class="caption-time">{formatDuration(startMs)}</span>
        <p class="spoken">
          {words.map((word, index) => (
            <SpokenWord key={index} word={word} class={isFinal ? "" : "interim"} />
          ))}
        </p>
      </div>
    );
  }
}

const readOutEveryMs = 5_000;
const readOutLines = 3;

/** Finals alone, gathered, so that a screen reader is not flooded; the list itself is for reading at will. */
function ReadOut({ captions }: { readonly captions: Captions }) {
  const [lines, setLines] = useState<readonly { readonly key: number; readonly text: string }[]>([]);
  const waiting = useRef<string[]>([]);
  useEffect(
    () =>
      captions.latestFinal.subscribe((row) => {
        if (row) waiting.current.push(row.words.map(({ text }) => text).join(" "));
      }),
    [captions],
  );
  useEffect(() => {
    let key = 0;
    const timer = setInterval(() => {
      if (waiting.current.length === 0) return;
      const text = waiting.current.splice(0).join(" ");
      setLines((lines) => [...lines, { key: key++, text }].slice(-readOutLines));
    }, readOutEveryMs);
    return () => clearInterval(timer);
  }, []);
  return (
    <div class="visually-hidden" role="log" aria-live="polite" aria-label="Captions, read out">
      {lines.map(({ key, text }) => (
        <p key={key}>{text}</p>
      ))}
    </div>
  );
}
