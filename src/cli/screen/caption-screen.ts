/**
 * Shows a session while it runs: on a terminal a progress bar over live captions, elsewhere one line for each final. Shows
 * nothing that is not in the events.
 */
import { createLogUpdate } from "log-update";
import type { TranscribeResponse } from "../../../gen/ts/parley/transcription/v1/transcription_pb.ts";
import { formatTime } from "./format-time.ts";
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
  return options.output.isTTY ? terminalScreen(options) : plainScreen(options);
}

function plainScreen({ output }: CaptionScreenOptions): CaptionScreen {
  return {
    show(event) {
      if (event.case === "sessionStarted") output.write(`session ${event.value.sessionId}\n`);
      if (event.case === "transcript" && event.value.isFinal) output.write(finalLine(event.value));
      if (event.case === "warning") output.write(`warning: ${event.value.message}\n`);
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
    const bar = `${progressBar(throughMs / durationMs)} ${formatTime(throughMs)} / ${formatTime(durationMs)}${figures}`;
    const live = [...interims.values()]
      .filter((text) => text !== "")
      .map((text) => `  \u001b[2m${text} …\u001b[22m`);
    update([...live, bar].join("\n"));
  };
  return {
    show(event) {
      switch (event.case) {
        case "transcript":
          if (event.value.isFinal) {
            interims.delete(event.value.segmentIndex);
            update.clear();
            output.write(finalLine(event.value));
          } else {
            interims.set(event.value.segmentIndex, event.value.text);
          }
          break;
        case "audioAck":
          throughMs = event.value.throughMs;
          break;
        case "deliveryUpdate": {
          const { averagePace, fillerCount, pauseCount } = event.value;
          const fillers = fillerCount === undefined ? "" : `, ${fillerCount} fillers`;
          figures = `  ${Math.round(averagePace)} wpm${fillers}, ${pauseCount} pauses`;
          break;
        }
        case "warning":
          update.clear();
          output.write(`warning: ${event.value.message}\n`);
          break;
        default:
          return;
      }
      draw();
    },
    close() {
      update.clear();
      update.done();
    },
  };
}

function finalLine(transcript: {
  readonly startMs: number;
  readonly text: string;
  readonly channel: number;
}): string {
  const speaker = transcript.channel === 0 ? "" : ` (channel ${transcript.channel})`;
  return `${formatTime(transcript.startMs).padStart(8)}  ${transcript.text}${speaker}\n`;
}
