/**
 * Every state of the studio, in the light and in the dark, on a desk and on a phone: no serious finding of axe, nothing that
 * is wider than the screen, and no way that takes a mouse.
 */
import { fileURLToPath } from "node:url";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createOfflineEngine } from "../../src/transcription/engines/offline/offline-engine.ts";
import { modelsMissing } from "../e2e/models.ts";
import { testModelDir } from "../transcription/engines/test-model-dir.ts";
import { seriousFindings } from "./check-accessibility.ts";
import { noChromium } from "./chromium.ts";
import { openStudio, type OpenedStudio } from "./open-studio.ts";

const looks = [
  { name: "light, on a desk", colorScheme: "light", width: 1280, height: 800 },
  { name: "dark, on a desk", colorScheme: "dark", width: 1280, height: 800 },
  { name: "light, on a phone", colorScheme: "light", width: 375, height: 740 },
  { name: "dark, on the narrowest phone", colorScheme: "dark", width: 320, height: 640 },
] as const;

/** In each look, at the page as it is. */
async function expectAccessible(page: Page, state: string): Promise<void> {
  for (const { name, colorScheme, width, height } of looks) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    await page.setViewportSize({ width, height });
    // Charts follow the size of their place in the frame after.
    await page.evaluate(
      () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))),
    );
    expect(await seriousFindings(page), `${state}, ${name}`).toEqual([]);
    const overflow = await page.evaluate(
      () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
    );
    expect(overflow, `${state}, ${name}: wider than the screen`).toBeLessThanOrEqual(0);
  }
}

const missing = noChromium ?? modelsMissing;

describe.skipIf(missing !== undefined)(`the studio${missing ? ` (${missing})` : ""}`, () => {
  let studio: OpenedStudio;
  let page: Page;
  beforeAll(async () => {
    const microphoneFile = fileURLToPath(new URL("../../src/cli/demo.wav", import.meta.url));
    const engine = createOfflineEngine({ modelDir: testModelDir() });
    await engine.warmUp();
    studio = await openStudio({ engine, microphoneFile });
    ({ page } = studio);
  });
  afterAll(() => studio.close());

  test("can be signed in to", async () => {
    await page.goto(studio.url);
    await page.getByRole("button", { name: "Continue as developer" }).waitFor();
    await expectAccessible(page, "sign-in");
    await page.getByRole("button", { name: "Continue as developer" }).click();
    await page.getByRole("button", { name: "Record", exact: true }).waitFor();
    await expectAccessible(page, "before the first recording");
  });

  test("can be recorded with, and shows a report", async () => {
    await page.keyboard.press("Alt+R");
    await page.locator(".captions .word").first().waitFor();
    await expectAccessible(page, "recording");
    await page.keyboard.press("Alt+R");
    await page.waitForURL(/#\/sessions\//);
    await page.getByRole("heading", { name: "Three things to practise" }).waitFor();
    await expectAccessible(page, "the report");
  });

  test("lists sessions and rooms, shows a room, and places that are not there", async () => {
    for (const [hash, heading] of [
      ["#/sessions", /sessions/i],
      ["#/rooms", /rooms/i],
      ["#/rooms/nobody's", /.+/],
      ["#/sessions/none", /.+/],
      ["#/nowhere", /.+/],
    ] as const) {
      await page.goto(`${studio.url}/${hash}`);
      await page.getByRole("heading", { level: 1, name: heading }).waitFor();
      await page.waitForLoadState("networkidle");
      await expectAccessible(page, hash);
    }
  });

  test("complained of nothing meanwhile", () => {
    expect(studio.complaints.filter((complaint) => !complaint.includes("404"))).toEqual([]);
  });
});
