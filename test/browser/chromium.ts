/** The real Chromium that tests drive: where it is, and why it is not. */
import { existsSync } from "node:fs";
import { chromium } from "playwright-core";
import type { Browser } from "playwright-core";

const candidates = [
  process.env["CHROMIUM_PATH"],
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
];
const path = candidates.find((candidate) => candidate !== undefined && existsSync(candidate));

/** For the names of suites: says why they are skipped. */
export const noChromium =
  path === undefined ? "skipped: no Chromium; install it, or set CHROMIUM_PATH" : undefined;

/** `microphoneFile`: a WAV file that its microphone hears, over and over; without it there is no microphone. */
export function launchChromium(options: { readonly microphoneFile?: string } = {}): Promise<Browser> {
  const { microphoneFile } = options;
  if (path === undefined) throw new Error(noChromium);
  return chromium.launch({
    executablePath: path,
    args:
      microphoneFile === undefined
        ? []
        : [
            "--use-fake-device-for-media-stream",
            "--use-fake-ui-for-media-stream",
            `--use-file-for-fake-audio-capture=${microphoneFile}`,
          ],
  });
}
