/**
 * Shows a session while it runs: on a terminal live captions over a progress bar, elsewhere one line for each final. Shows
 * nothing that is not in the events.
 */
import { createLogUpdate } from "log-update";
import type { TranscribeResponse } from "../../../gen/ts/parley/transcription/v1/transcription_pb.ts";
import { columnsOf, tailOf, wrapLines } from "./fit-text.ts";
import { formatTime } from "./format-time.ts";
import { printable } from "./printable.ts";
import { progressBar } from "./progress-bar.ts";

export interface CaptionScreen {
  show(event: TranscribeResponse["event"]): void;
  /** Leaves the finals on the screen and takes the rest away. */
  close(): void;
}

export interface CaptionScreenOptions {
  readonly output: NodeJS.WriteStream;
  readonly durationMs: number;
}

export function openCaptionScreen(options: CaptionScreenOptions): CaptionScreen {
  return columnsOf(options.output) !== undefined ? terminalScreen(options) : plainScreen(options.output);
}

/** For output that shall hold nothing else: only what the user should know. */
export function warningScreen(output: NodeJS.WriteStream): CaptionScreen {
  return {
    show(event) {
      if (event.case === "warning") output.write(`warning: ${printable(event.value.message)}\n`);
    },
    close: () => undefined,
  };
}

function plainScreen(output: NodeJS.WriteStream): CaptionScreen {
  return {
    show(event) {
      if (event.case === "sessionStarted") output.write(`session ${event.value.sessionId}\n`);
      if (event.case === "transcript" && event.value.isFinal) output.write(`${finalLine(event.value)}\n`);
      if (event.case === "warning") output.write(`warning: ${printable(event.value.message)}\n`);
    },
    close: () => undefined,
  };
}

function terminalScreen({ output, durationMs }: CaptionScreenOptions): CaptionScreen {
  const update = createLogUpdate(output);
  const interims = new Map<number, string>();
  let throughMs = 0;
  let figures = "";
  const draw = () => {
    // Nothing that is redrawn is ever wider than the terminal, so that no rest of a wrapped line can stay.
    const columns = output.columns;
    const live = [...interims.values()]
      .filter((text) => text !== "")
      .map((text) => `  \u001b[2m${tailOf(printable(text), columns - 4)} …\u001b[22m`);
    update([...live, progressLine({ throughMs, durationMs, figures, columns })].join("\n"));
  };
  const keep = (line: string) => {
    update.clear();
    output.write(`${wrapLines(line, columnsOf(output))}\n`);
  };
  return {
    show(event) {
      switch (event.case) {
        case "transcript":
          throughMs = Math.max(throughMs, event.value.endMs);
          if (event.value.isFinal) {
            interims.delete(event.value.segmentIndex);
            keep(finalLine(event.value));
          } else {
            interims.set(event.value.segmentIndex, event.value.text);
          }
          break;
        case "audioAck":
          throughMs = Math.max(throughMs, event.value.throughMs);
          break;
        case "deliveryUpdate": {
          const { averagePace, fillerCount, pauseCount } = event.value;
          const fillers = fillerCount === undefined ? "" : `, ${countOf(fillerCount, "filler")}`;
          figures = `${Math.round(averagePace)} wpm${fillers}, ${countOf(pauseCount, "pause")}`;
          break;
        }
        case "warning":
          keep(`warning: ${printable(event.value.message)}`);
          break;
        default:
          break;
      }
      draw();
    },
    close() {
      update.clear();
      update.done();
    },
  };
}

interface Progress {
  readonly throughMs: number;
  readonly durationMs: number;
  readonly figures: string;
  readonly columns: number;
}

/** The times, with as much of the bar and the figures as has room. */
function progressLine({ throughMs, durationMs, figures, columns }: Progress): string {
  const times = `${formatTime(throughMs)} / ${formatTime(durationMs)}`;
  const barColumns = Math.min(28, columns - times.length - 2);
  const bar = barColumns < 4 ? "" : `${progressBar(throughMs / durationMs, barColumns)} `;
  const withFigures = `${bar}${times}  ${figures}`;
  const line = figures !== "" && withFigures.length < columns ? withFigures : `${bar}${times}`;
  return line.slice(0, columns);
}

const timeColumns = 8;

function finalLine(transcript: {
  readonly startMs: number;
  readonly text: string;
  readonly channel: number;
}): string {
  const speaker = transcript.channel === 0 ? "" : ` (channel ${transcript.channel})`;
  return `${formatTime(transcript.startMs).padStart(timeColumns)}  ${printable(transcript.text)}${speaker}`;
}

function countOf(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
