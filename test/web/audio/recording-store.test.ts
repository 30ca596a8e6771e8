/** Recordings in a real browser's database: kept in pieces, read back by place, bounded, survived by a full disk. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { noChromium } from "../../browser/chromium.ts";
import { openStudioPage } from "../open-studio-page.ts";
import type { StudioPage } from "../open-studio-page.ts";

describe.skipIf(noChromium !== undefined)(
  `recordings in a browser${noChromium === undefined ? "" : ` (${noChromium})`}`,
  () => {
    let studio: StudioPage;
    beforeAll(async () => {
      studio = await openStudioPage();
    });
    afterAll(() => studio.close());
    afterEach(() =>
      studio.page.evaluate(async () => {
        const { RecordingStore } = parts;
        const store = await RecordingStore.open();
        for (const { recordingId } of await store.list()) await store.delete(recordingId);
      }),
    );

    const init = {
      userId: "ann",
      source: "microphone",
      title: "Microphone",
      roomName: "room-1",
    } as const;

    test("samples come back by their place, also across pieces, with silence where there are none", async () => {
      const read = await studio.page.evaluate(async (init) => {
        const { RecordingStore } = parts;
        const store = await RecordingStore.open();
        const { recordingId } = await store.begin(init);
        await store.append(recordingId, 0, Int16Array.of(1, 2, 3));
        await store.append(recordingId, 3, Int16Array.of(4, 5));
        await store.append(recordingId, 8, Int16Array.of(9));
        const other = await store.begin(init);
        await store.append(other.recordingId, 0, Int16Array.of(-1, -1, -1, -1));
        return {
          part: [...(await store.read(recordingId, 1, 4))],
          all: [...(await store.read(recordingId, 0, 10))],
          none: [...(await store.read(recordingId, 4, 4))],
          end: (await store.list()).find((recording) => recording.recordingId === recordingId)?.endSample,
        };
      }, init);
      expect(read).toEqual({ part: [2, 3, 4], all: [1, 2, 3, 4, 5, 0, 0, 0, 9, 0], none: [], end: 9 });
    });

    test("what is known of a recording survives the page", async () => {
      await studio.page.evaluate(async (init) => {
        const { RecordingStore } = parts;
        const store = await RecordingStore.open();
        const { recordingId } = await store.begin(init);
        await store.update(recordingId, { resume: { sessionId: "s1", resumeToken: "secret" } });
      }, init);
      await studio.page.reload();
      const found = await studio.page.evaluate(async () => {
        const { RecordingStore } = parts;
        return (await RecordingStore.open()).find("s1");
      });
      expect(found).toMatchObject({
        ...init,
        isFinished: false,
        resume: { sessionId: "s1", resumeToken: "secret" },
      });
    });

    test("the newest five that are over are kept, and whatever is not over", async () => {
      const titles = await studio.page.evaluate(async (init) => {
        const { RecordingStore } = parts;
        const store = await RecordingStore.open();
        for (let count = 0; count < 8; count += 1) {
          const { recordingId, createdAtMs } = await store.begin({ ...init, title: String(count) });
          if (count > 0) await store.update(recordingId, { isFinished: true });
          while (Date.now() === createdAtMs) await new Promise((resolve) => setTimeout(resolve, 1));
        }
        return (await store.list()).map(({ title }) => title);
      }, init);
      expect(titles).toEqual(["7", "6", "5", "4", "3", "0"]);
    });

    test("a deleted recording is gone with its sound, and is not brought back by what comes late", async () => {
      const left = await studio.page.evaluate(async (init) => {
        const { RecordingStore } = parts;
        const store = await RecordingStore.open();
        const { recordingId } = await store.begin(init);
        await store.append(recordingId, 0, Int16Array.of(1));
        await store.delete(recordingId);
        await store.append(recordingId, 1, Int16Array.of(2));
        await store.update(recordingId, { isFinished: true });
        return { recordings: await store.list(), samples: [...(await store.read(recordingId, 0, 2))] };
      }, init);
      expect(left).toEqual({ recordings: [], samples: [0, 0] });
    });

    test("a page that is gone holds its recording no more", async () => {
      const isHeld = () =>
        studio.page.evaluate(async () => {
          const { isRecordingHeld } = parts;
          return isRecordingHeld("r1");
        });
      const other = await studio.page.context().newPage();
      await other.goto(studio.page.url());
      await other.evaluate(async () => {
        const { holdRecording } = parts;
        holdRecording("r1");
      });
      await expect.poll(isHeld).toBe(true);
      await other.close();
      await expect.poll(isHeld).toBe(false);
    });
  },
);
