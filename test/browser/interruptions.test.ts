/** What happens to a recording in the page when its server dies, or its token runs out: nothing that was said is lost. */
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { afterEach, describe, expect, test } from "vitest";
import { wav } from "../cli/wav-file.ts";
import { modelsMissing } from "../e2e/models.ts";
import { freePort, startServerProcess, type ServerProcess } from "../e2e/server-process.ts";
import { markedAudio } from "../fakes/marker-engine.ts";
import { testModelDir } from "../transcription/engines/test-model-dir.ts";
import { buildStudio } from "../web/build-studio.ts";
import { launchChromium, noChromium } from "./chromium.ts";
import { openStudio, type OpenedStudio } from "./open-studio.ts";
import { because, signIn, spoken } from "./studio-page.ts";

const withSpeech = noChromium ?? modelsMissing;
describe.skipIf(withSpeech !== undefined)(because(withSpeech, "a server that is killed"), () => {
  let server: ServerProcess | undefined;
  afterEach(() => server?.stop());

  test("and started again goes on with the recording, and every word is in the report", async () => {
    await buildStudio();
    const dataDir = await mkdtemp(join(tmpdir(), "parley-test-"));
    const port = await freePort();
    const env = { MODEL_DIR: testModelDir() };
    server = await startServerProcess({ dataDir, port, env });
    const browser = await launchChromium();
    const page = await browser.newPage();
    await signIn(page, `http://localhost:${port}`);
    await page.getByRole("button", { name: "Try the sample" }).click();
    await expect.poll(() => spoken(page, ".captions")).toMatch(/Dashwood had then leisure/);

    server.kill("SIGKILL");
    await server.exited;
    await page.getByText("Reconnecting, your audio is kept").waitFor();
    server = await startServerProcess({ dataDir, port, env });
    await page.locator(".connection", { hasText: "Connected" }).waitFor();

    await page.waitForURL(/#\/sessions\//, { timeout: 50_000 });
    await expect.poll(() => spoken(page, ".transcript")).toMatch(/respectable than he was/);
    const text = await spoken(page, ".transcript");
    expect(text.match(/Dashwood/g)).toHaveLength(1);
    expect(text).toMatch(/to do for them.*young man.*rather selfish.*amiable woman/s);
    await browser.close();
  }, 150_000);
});

describe.skipIf(noChromium !== undefined)(because(noChromium, "a token that runs out"), () => {
  let studio: OpenedStudio;
  afterEach(() => studio.close());
  // 34 s of speech with pauses, at its own speed.
  const sentences = Array.from({ length: 4 }, (_, sentence) =>
    Array.from({ length: 20 }, (_word, index) => 100 + 20 * sentence + index),
  );
  const sound = sentences.map((marks) => new Uint8Array(markedAudio(marks).buffer));
  const file = {
    name: "answer.wav",
    mimeType: "audio/wav",
    buffer: wav({ data: Buffer.concat(sound) }),
  };
  const minted = "**/parley.token.v1.TokenService/CreateSessionTokens";

  test("is renewed in mid-stream, and one that could not be is replaced when it can", async () => {
    studio = await openStudio({ tokenSeconds: 12 });
    const { page, url, server } = studio;
    const other = await studio.context.newPage();
    await signIn(page, url);
    await page.locator('input[type="file"]').setInputFiles(file);
    await page.locator(".connection", { hasText: "Connected" }).waitFor();
    await signIn(other, url);
    await other.locator('input[type="file"]').setInputFiles(file);
    await other.locator(".connection", { hasText: "Connected" }).waitFor();
    await other.route(minted, (route) => route.abort());

    // The second page gets no token: its stream ends at the end of the first one, and its audio is kept.
    await other.getByText("Reconnecting, your audio is kept").waitFor();
    expect(await page.locator(".connection").textContent()).toMatch(/Connected/);
    await other.unroute(minted);
    await other.locator(".connection", { hasText: "Connected" }).waitFor();

    const everyWord = sentences
      .flat()
      .map((mark) => `w${mark}`)
      .join(" ");
    for (const ended of [page, other]) {
      await ended.waitForURL(/#\/sessions\//, { timeout: 60_000 });
      await expect.poll(() => allWords(ended, server)).toBe(everyWord);
    }
    expect(server.logged.filter((line) => line.includes('"unauthenticated"'))).not.toEqual([]);
  }, 150_000);

  /** From the server: the page draws only what can be seen of a long transcript. */
  async function allWords(page: Page, server: OpenedStudio["server"]): Promise<string> {
    const sessionId = decodeURIComponent(new URL(page.url()).hash.replace("#/sessions/", ""));
    const response = await fetch(`${server.url}/parley.transcription.v1.TranscriptionService/GetSession`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${server.apiKey}` },
      body: JSON.stringify({ sessionId }),
    });
    const { summary } = (await response.json()) as { summary?: { transcript?: string } };
    return summary?.transcript ?? "";
  }
});
