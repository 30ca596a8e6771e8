/** Rooms in the page: everybody in one reads along, and nobody of another sees a word. */
import { createClient } from "@connectrpc/connect";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { UserType } from "../../gen/ts/parley/token/v1/room_pb.ts";
import { TokenService } from "../../gen/ts/parley/token/v1/token_pb.ts";
import { wav } from "../cli/wav-file.ts";
import { transportTo } from "../e2e/speech-client.ts";
import { markedAudio } from "../fakes/marker-engine.ts";
import { noChromium } from "./chromium.ts";
import { openStudio, type OpenedStudio } from "./open-studio.ts";

const speech = (firstMark: number) => {
  const marks = Array.from({ length: 25 }, (_, index) => firstMark + index);
  return {
    name: "answer.wav",
    mimeType: "audio/wav",
    buffer: wav({ data: new Uint8Array(markedAudio(marks).buffer) }),
  };
};

describe.skipIf(noChromium !== undefined)(`rooms${noChromium ? ` (${noChromium})` : ""}`, () => {
  let studio: OpenedStudio;
  beforeAll(async () => {
    studio = await openStudio();
    const rooms = createClient(TokenService, transportTo(studio.server.url, studio.server.apiKey));
    for (const [roomName, ownerUserId] of [
      ["alpha", "ada"],
      ["beta", "bob"],
    ] as const) {
      const members = [{ userId: `guest-of-${roomName}`, userType: UserType.VIEWER }];
      await rooms.createRoom({ roomName, ownerUserId, members });
    }
  });
  afterAll(() => studio.close());

  /** A page of its own browser profile. */
  async function enter(userId: string, hash: string): Promise<Page> {
    const context = await studio.browser.newContext();
    const page = await context.newPage();
    await page.goto(studio.url);
    await page.getByLabel("Your name").fill(userId);
    await page.getByRole("button", { name: "Continue as developer" }).click();
    await page.getByRole("button", { name: "Record", exact: true }).waitFor();
    await page.goto(`${studio.url}/${hash}`);
    return page;
  }

  async function speak(page: Page, roomName: string, firstMark: number): Promise<void> {
    await page.getByLabel("Room").fill(roomName);
    await page.locator('input[type="file"]').setInputFiles(speech(firstMark));
  }

  test("two that speak at once never see each other's words, nor does who watches one of them", async () => {
    const ada = await enter("ada", "#/record");
    const bob = await enter("bob", "#/record");
    const inAlpha = await enter("guest-of-alpha", "#/rooms/alpha");
    const inBeta = await enter("guest-of-beta", "#/rooms/beta");
    await Promise.all([speak(ada, "alpha", 100), speak(bob, "beta", 500)]);
    await Promise.all([ada.waitForURL(/#\/sessions\//), bob.waitForURL(/#\/sessions\//)]);

    const heard = async (page: Page) => (await page.locator(".room-words").allTextContents()).join(" ");
    await expect.poll(() => heard(inAlpha)).toContain("w124");
    await expect.poll(() => heard(inBeta)).toContain("w524");
    expect(await heard(inAlpha)).toMatch(/^(w1\d\d ?)+$/);
    expect(await heard(inBeta)).toMatch(/^(w5\d\d ?)+$/);
    expect(await inAlpha.locator(".room-speaker").first().textContent()).toContain("ada");
    expect(await inAlpha.locator("body").textContent()).not.toContain("bob");
  });

  test("one who is not let in is told that there is no such room, and sees nothing", async () => {
    const stranger = await enter("mallory", "#/rooms/alpha");
    await stranger.getByText("No such room, or not for you").first().waitFor();
    expect(await stranger.locator(".room-words").count()).toBe(0);
  });
});
