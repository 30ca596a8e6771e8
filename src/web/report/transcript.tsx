/** The transcript of a session: what the report cites is marked and in sight, what plays is followed word by word. */
import { Component } from "preact";
import { useEffect, useMemo, useRef } from "preact/hooks";
import type { SessionSummary } from "../../../gen/ts/parley/transcription/v1/transcription_pb.ts";
import { Button } from "../ui/button.tsx";
import { formatDuration } from "../ui/format.ts";
import { VirtualList } from "../ui/virtual-list.tsx";
import type { VirtualListHandle } from "../ui/virtual-list.tsx";
import { SpokenWord } from "../record/spoken-words.tsx";
import type { ReportStage } from "./report-stage.ts";
import { readTranscript, rowOf } from "./transcript-rows.ts";
import type { TranscriptRow, WordRange } from "./transcript-rows.ts";

export interface TranscriptProps {
  readonly summary: SessionSummary;
  readonly stage: ReportStage;
}

const charactersPerLine = 52;
const lineHeightPx = 33;

export function Transcript({ summary, stage }: TranscriptProps) {
  const rows = useMemo(() => readTranscript(summary), [summary]);
  const list = useRef<VirtualListHandle>(null);
  const section = useRef<HTMLElement>(null);
  const cited = stage.place.value?.words;
  const player = stage.player.value;
  const positionMs = player?.positionMs.value;
  const playing =
    positionMs === undefined
      ? undefined
      : summary.words.findLastIndex(({ startMs }) => startMs <= positionMs);
  const playingRow = playing === undefined ? undefined : rowOf(rows, playing);

  useEffect(() => {
    if (!cited) return;
    list.current?.reveal(rowOf(rows, cited.firstWord));
    section.current?.scrollIntoView({ block: "nearest", behavior: "smooth" });
  }, [cited, rows]);
  useEffect(() => {
    if (playingRow !== undefined) list.current?.reveal(playingRow);
  }, [playingRow]);

  return (
    <section class="transcript card" aria-label="Transcript" ref={section}>
      <header class="card-header">
        <div>
          <h2>Transcript</h2>
          <p class="soft">
            {player
              ? "Silence is as wide as it was long. A time plays from there."
              : "This browser does not have the sound of this session, so that it can be read but not heard."}
          </p>
        </div>
        <div class="actions">
          {cited && (
            <Button class="back" size="small" icon="back" onClick={goBack}>
              Back
            </Button>
          )}
          {player && <PlayButton stage={stage} isPlaying={positionMs !== undefined} />}
        </div>
      </header>
      <VirtualList
        label="Words of the session"
        rows={rows}
        keyOf={({ firstWord }) => firstWord}
        estimateHeight={({ words }) => {
          const characters = words.reduce((sum, { text }) => sum + text.length + 1, 0);
          return 16 + lineHeightPx * Math.ceil(characters / charactersPerLine);
        }}
        handle={list}
      >
        {(row) => (
          <Row
            row={row}
            cited={within(row, cited)}
            playing={playing !== undefined && rows[playingRow ?? -1] === row ? playing : undefined}
            onPlay={player && (() => stage.playFrom(row.startMs))}
          />
        )}
      </VirtualList>
    </section>
  );
}

function PlayButton({ stage, isPlaying }: { readonly stage: ReportStage; readonly isPlaying: boolean }) {
  return (
    <Button
      size="small"
      icon={isPlaying ? "stop" : "play"}
      onClick={() => (isPlaying ? stage.stop() : stage.playFrom(0))}
    >
      {isPlaying ? "Stop" : "Play"}
    </Button>
  );
}

/** To what was pressed: where the transcript stands below the report, showing it leads away from there. */
function goBack(): void {
  const pressed = document.querySelector<HTMLElement>('.cite[aria-pressed="true"]');
  pressed?.scrollIntoView({ block: "center", behavior: "smooth" });
  pressed?.focus({ preventScroll: true });
}

interface RowProps {
  readonly row: TranscriptRow;
  readonly cited: WordRange | undefined;
  readonly playing: number | undefined;
  readonly onPlay: (() => void) | undefined;
}

class Row extends Component<RowProps> {
  override shouldComponentUpdate({ row, cited, playing, onPlay }: RowProps) {
    const old = this.props;
    return (
      row !== old.row ||
      playing !== old.playing ||
      (onPlay === undefined) !== (old.onPlay === undefined) ||
      cited?.firstWord !== old.cited?.firstWord ||
      cited?.lastWord !== old.cited?.lastWord
    );
  }

  override render() {
    const { row, cited, playing, onPlay } = this.props;
    const time = formatDuration(row.startMs);
    return (
      <div class="caption-row">
        {onPlay ? (
          <button type="button" class="caption-time text-button" onClick={onPlay}>
            <span class="visually-hidden">Play from </span>
            {time}
          </button>
        ) : (
          <span class="caption-time">{time}</span>
        )}
        <p class="spoken">
          {row.words.map((word, index) => {
            const at = row.firstWord + index;
            const isCited = cited !== undefined && at >= cited.firstWord && at <= cited.lastWord;
            const look = `${isCited ? "cited " : ""}${at === playing ? "playing" : ""}`;
            return <SpokenWord key={index} word={word} class={look} />;
          })}
        </p>
      </div>
    );
  }
}

/** The part of the range that lies in the row. */
function within({ firstWord, words }: TranscriptRow, range: WordRange | undefined): WordRange | undefined {
  const lastWord = firstWord + words.length - 1;
  if (!range || range.lastWord < firstWord || range.firstWord > lastWord) return undefined;
  return { firstWord: Math.max(firstWord, range.firstWord), lastWord: Math.min(lastWord, range.lastWord) };
}
