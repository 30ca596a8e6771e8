/** An hour of captions costs the page what a minute does: counted in elements, not in time. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { noChromium } from "../../browser/chromium.ts";
import { openStudioPage } from "../open-studio-page.ts";
import type { StudioPage } from "../open-studio-page.ts";

describe.skipIf(noChromium !== undefined)(
  `an hour of captions${noChromium ? ` (${noChromium})` : ""}`,
  () => {
    let studio: StudioPage;
    beforeAll(async () => {
      studio = await openStudioPage();
    });
    afterAll(() => studio.close());

    test("few rows are drawn, the newest is in sight, and an event draws its own row alone", async () => {
      const { page } = studio;
      const seen = await page.evaluate(async () => {
        const captions = new parts.Captions();
        const say = (segmentIndex: number, count: number, isFinal: boolean) => {
          const startMs = segmentIndex * 3_000;
          const words = Array.from({ length: count }, (_, index) => ({
            text: `word${index}`,
            startMs: startMs + index * 250,
            endMs: startMs + index * 250 + 200,
          }));
          const text = words.map((word) => word.text).join(" ");
          captions.take(parts.create(parts.TranscriptSchema, { segmentIndex, isFinal, text, words }));
        };
        const frames = async (count: number) => {
          for (let frame = 0; frame < count; frame += 1) await new Promise(requestAnimationFrame);
        };
        for (let segment = 0; segment < 1_200; segment += 1) say(segment, 8 + (segment % 20), true);
        parts.renderCaptions(captions);
        await frames(6);
        const rows = () => [...document.querySelectorAll<HTMLElement>(".caption-row")];
        const drawn = rows().length;
        say(1_200, 1, false);
        await frames(4);
        const before = new Set(rows());
        const changed = new Set<Element>();
        const observer = new MutationObserver((records) => {
          for (const { target } of records) {
            const element = target instanceof Element ? target : target.parentElement;
            const row = element?.closest(".caption-row");
            if (row) changed.add(row);
          }
        });
        observer.observe(document.body, {
          subtree: true,
          childList: true,
          characterData: true,
          attributes: true,
        });
        for (let count = 2; count < 7; count += 1) {
          say(1_200, count, false);
          await frames(2);
        }
        const last = rows().at(-1);
        const box = document.querySelector(".virtual-list-box");
        const fromEndPx = box ? box.scrollHeight - box.scrollTop - box.clientHeight : NaN;
        return {
          drawn,
          rowsChanged: [...changed].filter((row) => before.has(row as HTMLElement)).length,
          lastText: last?.querySelector("p")?.textContent.trim(),
          fromEndPx,
          elements: document.querySelectorAll("*").length,
        };
      });
      expect(seen.drawn).toBeGreaterThan(4);
      expect(seen.drawn).toBeLessThan(40);
      expect(seen.elements).toBeLessThan(2_000);
      expect(seen.rowsChanged).toBe(1);
      expect(seen.lastText).toBe("word0 word1 word2 word3 word4 word5");
      expect(seen.fromEndPx).toBeLessThan(2);
    });

    test("whoever scrolls back stays there while words come, and is led to the latest at a press", async () => {
      const { page } = studio;
      const box = page.locator(".virtual-list-box");
      await box.evaluate((element) => (element.scrollTop = 20_000));
      const latest = page.getByRole("button", { name: "Go to the latest" });
      await latest.waitFor();
      const topRow = await page.locator(".caption-row").first().textContent();
      expect(await box.evaluate(({ scrollTop }) => scrollTop)).toBeLessThan(30_000);
      expect(topRow).not.toBe("");
      await latest.click();
      await expect
        .poll(() =>
          box.evaluate(
            ({ scrollHeight, scrollTop, clientHeight }) => scrollHeight - scrollTop - clientHeight,
          ),
        )
        .toBeLessThan(2);
    });
  },
);
