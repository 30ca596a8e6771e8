/** Shows the download of the speech models on stderr, so that stdout stays clean. */
import { createLogUpdate } from "log-update";
import { columnsOf } from "./fit-text.ts";
import { formatMegabytes } from "./format-time.ts";
import { progressBar } from "./progress-bar.ts";

export interface ModelProgressView {
  show(progress: {
    readonly file: string;
    readonly receivedBytes: number;
    readonly totalBytes?: number;
  }): void;
  close(): void;
}

export function openModelProgress(output: NodeJS.WriteStream): ModelProgressView {
  const update = columnsOf(output) === undefined ? undefined : createLogUpdate(output);
  let announced = "";
  return {
    show({ file, receivedBytes, totalBytes }) {
      if (update) {
        const total = totalBytes === undefined ? "" : ` / ${formatMegabytes(totalBytes)}`;
        const fraction = totalBytes === undefined ? 0 : receivedBytes / totalBytes;
        update(`fetching ${file}, once\n${progressBar(fraction)} ${formatMegabytes(receivedBytes)}${total}`);
      } else if (announced !== file) {
        announced = file;
        output.write(
          `fetching ${file}, once${totalBytes === undefined ? "" : ` (${formatMegabytes(totalBytes)})`}\n`,
        );
      }
    },
    close() {
      update?.clear();
      update?.done();
    },
  };
}
