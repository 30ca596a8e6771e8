/** The studio's frame and its rooms in a real Chromium: keyboard and focus, an expired sign-in, and a cut network. */
import { createClient } from "@connectrpc/connect";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { Target, TokenService } from "../../gen/ts/parley/token/v1/token_pb.ts";
import {
  AudioEncoding,
  TranscriptionService,
} from "../../gen/ts/parley/transcription/v1/transcription_pb.ts";
import { transportTo } from "../e2e/speech-client.ts";
import { markedAudio } from "../fakes/marker-engine.ts";
import { noChromium } from "./chromium.ts";
import { openStudio, type OpenedStudio } from "./open-studio.ts";

const suite = noChromium === undefined ? "the studio's frame" : `the studio's frame (${noChromium})`;

describe.skipIf(noChromium !== undefined)(suite, () => {
  let studio: OpenedStudio;
  let page: Page;
  beforeAll(async () => {
    studio = await openStudio();
    ({ page } = studio);
  });
  afterAll(() => studio.close());
  beforeEach(async () => {
    await page.goto("about:blank");
    await page.goto(studio.url);
    const button = page.getByRole("button", { name: "Continue as developer" });
    const signOut = page.getByRole("button", { name: "Sign out" });
    await button.or(signOut).waitFor();
    if (await button.isVisible()) await button.click();
    await signOut.waitFor();
  });

  const focused = () => page.evaluate(() => document.activeElement?.id ?? "");

  test("the skip link leads past the bar, without leaving the place", async () => {
    await page.goto(`${studio.url}/#/rooms`);
    await page.getByRole("heading", { level: 1, name: "Rooms" }).waitFor();
    await page.evaluate(() => {
      (document.activeElement as HTMLElement | null)?.blur();
    });
    await page.locator(".skip-link").focus();
    expect(
      await page.locator(".skip-link").evaluate((link) => link.getBoundingClientRect().top),
    ).toBeGreaterThan(0);
    await page.keyboard.press("Enter");
    expect(await focused()).toBe("main");
    expect(page.url()).toBe(`${studio.url}/#/rooms`);
  });

  test("a new place has its name in the tab, and the focus on its heading", async () => {
    await page.getByRole("link", { name: "Sessions" }).press("Enter");
    const heading = page.getByRole("heading", { level: 1, name: "Sessions" });
    await heading.waitFor();
    await expect.poll(() => heading.evaluate((element) => element === document.activeElement)).toBe(true);
    expect(await page.title()).toBe("Sessions · Parley");
    expect(await page.getByRole("link", { name: "Sessions" }).getAttribute("aria-current")).toBe("page");
  });

  test("a sign-in that has expired is said above the page, and renewed there", async () => {
    await page.clock.install({ time: Date.now() + 13 * 3_600_000 });
    await page.getByRole("link", { name: "Rooms" }).click();
    await page.getByText("Your sign-in has expired.").first().waitFor();
    await page.getByRole("heading", { level: 1, name: "Rooms" }).waitFor(); // the place stays
    await page.clock.setSystemTime(Date.now());
    await page.getByRole("button", { name: "Sign in again" }).click();
    await page.getByRole("button", { name: "Continue as developer" }).click();
    // The list that could not be fetched goes on saying why, until it is asked for again.
    await page.getByRole("region", { name: "Your sign-in has expired" }).waitFor({ state: "detached" });
    await page.getByRole("button", { name: "Try again" }).click();
    await page.getByText("You own none yet").waitFor();
  });

  test("captions go on after the network was cut, each once", async () => {
    const tokens = createClient(TokenService, transportTo(studio.server.url, studio.server.apiKey));
    await tokens.createRoom({ roomName: "talk", ownerUserId: "developer" });
    const say = async (marks: readonly number[]) => {
      const { transcriptionToken } = await tokens.createSessionTokens({
        roomName: "talk",
        participantIdentity: "grace",
        targets: [Target.TRANSCRIPTION],
      });
      const client = createClient(TranscriptionService, transportTo(studio.server.url, transcriptionToken));
      for await (const _ of client.transcribe(requests(marks)));
    };
    await say([101, 102]);
    await page.goto(`${studio.url}/#/rooms/talk`);
    const words = async () => (await page.locator(".room-words").allTextContents()).join(" ");
    await expect.poll(words).toContain("w102");
    await studio.context.setOffline(true);
    await page.getByText("Connection lost, trying again").waitFor();
    await say([103, 104]);
    await studio.context.setOffline(false);
    await expect.poll(words).toContain("w104");
    await say([105, 106]);
    await expect.poll(words).toContain("w106");
    for (const mark of [101, 102, 103, 104, 105, 106])
      expect((await words()).split(`w${mark}`), `w${mark}`).toHaveLength(2);
    await page.getByText("Live", { exact: true }).waitFor();
  });
});

async function* requests(marks: readonly number[]) {
  const samples = markedAudio(marks);
  const config = { encoding: AudioEncoding.LINEAR16, sampleRateHz: 16_000 };
  yield { message: { case: "config" as const, value: config } };
  for (let at = 0; at < samples.length; at += 1600) {
    const piece = samples.subarray(at, at + 1600);
    const data = new Uint8Array(piece.buffer, piece.byteOffset, piece.byteLength);
    yield { message: { case: "audio" as const, value: { firstSample: BigInt(at), data } } };
  }
}
