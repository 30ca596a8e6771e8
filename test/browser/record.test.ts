/** Recording in a real Chromium against the whole server: a voice at the microphone, cut networks, reloads in the middle. */
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createOfflineEngine } from "../../src/transcription/engines/offline/offline-engine.ts";
import { wav } from "../cli/wav-file.ts";
import { modelsMissing } from "../e2e/models.ts";
import { markedAudio } from "../fakes/marker-engine.ts";
import { startTcpProxy } from "../fakes/tcp-proxy.ts";
import type { TcpProxy } from "../fakes/tcp-proxy.ts";
import { testModelDir } from "../transcription/engines/test-model-dir.ts";
import { noChromium } from "./chromium.ts";
import { openStudio } from "./open-studio.ts";
import type { OpenedStudio } from "./open-studio.ts";
import { because, signIn, spoken } from "./studio-page.ts";

describe.skipIf(noChromium !== undefined)(because(noChromium, "a file that is heard word by word"), () => {
  const marks = Array.from({ length: 20 }, (_, index) => index + 100);
  const everyWord = marks.map((mark) => `w${mark}`).join(" ");
  const file = {
    name: "answer.wav",
    mimeType: "audio/wav",
    buffer: wav({ data: new Uint8Array(markedAudio(marks).buffer) }),
  };
  let studio: OpenedStudio;
  let proxy: TcpProxy;
  let url: string;
  beforeAll(async () => {
    studio = await openStudio();
  });
  afterAll(() => studio.close());
  beforeEach(async () => {
    proxy = await startTcpProxy({ host: "127.0.0.1", port: Number(new URL(studio.url).port) });
    url = `http://localhost:${proxy.port}`;
    await signIn(studio.page, url);
    await studio.page.locator('input[type="file"]').setInputFiles(file);
  });
  afterEach(async () => {
    await studio.page.goto("about:blank");
    await proxy.close();
  });

  test("captions appear while it goes up, and every word is in the report", async () => {
    const { page } = studio;
    await page.getByText("w100", { exact: true }).first().waitFor();
    await page.getByText("Connected").waitFor();
    await page.waitForURL(/#\/sessions\//);
    await expect.poll(() => spoken(page, ".transcript")).toBe(everyWord);
    await page.getByRole("heading", { name: "Three things to practise" }).waitFor();

    const report = page.url();
    await page.getByRole("link", { name: "Sessions" }).click();
    await page.goto(report);
    await expect.poll(() => spoken(page, ".transcript")).toBe(everyWord);
  });

  test("a network that is cut shows, keeps the audio, and costs no word", async () => {
    const { page } = studio;
    await page.getByText("w100", { exact: true }).first().waitFor();
    await proxy.refuse();
    await page.getByText("Reconnecting, your audio is kept").waitFor();
    await expect.poll(() => page.locator(".tail-words").textContent()).toMatch(/^Kept here: [1-9]/);
    await proxy.resume();
    await page.getByText("Connected").waitFor();
    await page.waitForURL(/#\/sessions\//);
    await expect.poll(() => spoken(page, ".transcript")).toBe(everyWord);
  });

  test("a page that is reloaded in the middle offers to go on, and no word is lost or said twice", async () => {
    const { page } = studio;
    await page.getByText("w100", { exact: true }).first().waitFor();
    await page.reload();
    await page.getByText("“answer.wav” was cut off.").waitFor();
    await page.getByRole("button", { name: "Continue", exact: true }).click();
    await page.waitForURL(/#\/sessions\//);
    await expect.poll(() => spoken(page, ".transcript")).toBe(everyWord);
  });
});

const missing = noChromium ?? modelsMissing;
describe.skipIf(missing !== undefined)(because(missing, "a voice at the microphone"), () => {
  let studio: OpenedStudio;
  beforeAll(async () => {
    const engine = createOfflineEngine({ modelDir: testModelDir() });
    await engine.warmUp();
    const microphoneFile = fileURLToPath(new URL("../../src/cli/demo.wav", import.meta.url));
    studio = await openStudio({ engine, microphoneFile });
  });
  afterAll(() => studio.close());

  test("is written down, can be gone on with after a reload, and ends in a report that is seen and heard", async () => {
    const { page, url, complaints } = studio;
    await signIn(page, url);
    await page.keyboard.press("Alt+R");
    await expect.poll(() => spoken(page, ".captions")).toMatch(/Dashwood had then leisure/);
    await page.reload();
    await page.getByRole("button", { name: "Continue speaking" }).click();
    await expect
      .poll(() => spoken(page, ".captions"))
      .toMatch(/Dashwood had then leisure.*to do for them\./s);
    // Long enough for figures that rest on places: a window of pace is 15 s.
    await expect.poll(() => spoken(page, ".captions")).toMatch(/rather selfish/);
    await expect.poll(() => page.locator(".connection").textContent()).toMatch(/Connected/);
    await page.keyboard.press("Alt+R");
    await page.waitForURL(/#\/sessions\//);
    await expect.poll(() => spoken(page, ".transcript")).toMatch(/Dashwood had then leisure/);

    await page.locator("button.cite").filter({ visible: true }).first().click();
    await expect.poll(() => page.locator(".word.cited").count()).toBeGreaterThan(0);
    await page.getByRole("button", { name: "Stop", exact: true }).waitFor();
    await expect.poll(() => page.locator(".word.playing").count()).toBe(1);
    await page.getByRole("heading", { name: "Voice" }).waitFor();

    const download = page.waitForEvent("download");
    await page.getByRole("button", { name: /^Save as VTT/ }).click();
    expect((await download).suggestedFilename()).toMatch(/\.vtt$/);
    expect(complaints).toEqual([]);
  });
});
