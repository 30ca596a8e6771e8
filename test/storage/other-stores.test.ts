/** API keys, rooms, revocations and interviews, on both databases. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Report } from "../../src/analysis/report.ts";
import type { Storage } from "../../src/storage/open-storage.ts";
import type { RevocationSelector } from "../../src/token/revocation/revocation-store.ts";
import type { StoredRoom } from "../../src/token/rooms/room-store.ts";
import { forEachDatabase } from "./databases.ts";
import { apiKey, interview } from "./samples.ts";

/** Storage keeps a report as it is, whatever is in it. */
const report = { formulaVersion: 1, scores: [{ name: "pace", evidence: [0, 3] }] } as unknown as Report;
const later = new Date("2026-02-03T04:05:06.789Z");

forEachDatabase((_name, open) => {
  let storage: Storage;
  beforeAll(async () => void (storage = await open()));
  afterAll(() => storage.close());

  describe("an API key", () => {
    test("comes back as it was stored", async () => {
      const key = apiKey("whole", { expireTime: later });
      await storage.apiKeys.create(key);
      expect(await storage.apiKeys.get("whole")).toEqual(key);
      expect(await storage.apiKeys.get("none")).toBeUndefined();
      await expect(storage.apiKeys.create(key)).rejects.toMatchObject({ code: "conflict" });
    });

    test("keeps the time of its first revocation", async () => {
      await storage.apiKeys.create(apiKey("revoked"));
      const first = await storage.apiKeys.revoke("revoked", later);
      expect(first).toEqual(apiKey("revoked", { revokeTime: later }));
      expect(await storage.apiKeys.revoke("revoked", new Date(later.getTime() + 1))).toEqual(first);
      expect(await storage.apiKeys.get("revoked")).toEqual(first);
      expect(await storage.apiKeys.revoke("none", later)).toBeUndefined();
    });
  });

  describe("a room", () => {
    const room = (ownerUserId: string): StoredRoom => ({
      roomName: "race",
      ownerUserId,
      access: "invited",
      members: [{ userId: "bob", userType: "guest" }],
      createTime: later,
    });

    test("is found by any name that differs from its own in case and Unicode form alone, the first that was made", async () => {
      const made = (roomName: string, afterMs: number) =>
        storage.rooms.create({
          ...room("ada"),
          roomName,
          createTime: new Date(later.getTime() + afterMs),
        });
      await made("Äpfel & Birnen", 2);
      await made("ÄPFEL & BIRNEN", 1);
      await made("äpfel & birnen", 1);
      for (const name of ["äpfel & birnen", "Äpfel & Birnen", "A\u0308PFEL ＆ BIRNEN"]) {
        expect(await storage.rooms.firstAlike(name)).toBe("ÄPFEL & BIRNEN");
      }
      await storage.rooms.delete({ roomName: "ÄPFEL & BIRNEN" }, { lostRightId: "x" });
      expect(await storage.rooms.firstAlike("äpfel & birnen")).toBe("ÄPFEL & BIRNEN");
      expect(await storage.rooms.firstAlike("apfel & birnen")).toBeUndefined();
    });

    test("made by two at once belongs to one of them", async () => {
      const owners = ["ada", "bob", "eve", "joe"];
      const won = await Promise.all(owners.map((owner) => storage.rooms.create(room(owner))));
      expect(won.filter(Boolean)).toHaveLength(1);
      expect(await storage.rooms.get("race")).toEqual(room(owners[won.indexOf(true)]!));
      expect(await storage.rooms.get("none")).toBeUndefined();
    });
  });

  describe("a revocation", () => {
    const kept = (selector: RevocationSelector, revokeTime = later, keptMs = 1000) =>
      storage.revocations.keep({ selector, revokeTime, expireTime: new Date(revokeTime.getTime() + keptMs) });
    const list = (now = later) => storage.revocations.list(now);

    test("comes back with what it was of, until it expires", async () => {
      const selectors = [
        { tokenId: "same" },
        { tokenId: "same", userId: "ada" },
        { userId: "same" },
        { roomName: "same" },
        { roomName: "same", userId: "ada" },
      ];
      for (const selector of selectors) await kept(selector);
      const expireTime = new Date(later.getTime() + 1000);
      expect(await list()).toHaveLength(5);
      expect(await list()).toEqual(
        expect.arrayContaining(selectors.map((selector) => ({ selector, revokeTime: later, expireTime }))),
      );
      expect(await list(expireTime)).toEqual([]);
      await storage.revocations.deleteExpired(later);
      expect(await list()).toHaveLength(5);
      await storage.revocations.deleteExpired(expireTime);
      expect(await list(new Date(0))).toEqual([]);
    });

    test("of the same again keeps the later time, whichever comes last", async () => {
      const earlier = new Date(later.getTime() - 500);
      for (const time of [earlier, later, earlier]) await kept({ userId: "twice" }, time);
      expect(await list()).toMatchObject([{ selector: { userId: "twice" }, revokeTime: later }]);
    });
  });

  describe("an interview", () => {
    test("comes back as it was stored", async () => {
      const whole = interview("whole", {
        sessionId: "session",
        roomName: "room",
        caseQuestion: "Why?",
        difficulty: "hard",
        candidateAnswer: "Because.",
        state: "done",
        report,
      });
      await storage.interviews.create(whole);
      expect(await storage.interviews.get("whole")).toEqual(whole);
      expect(await storage.interviews.get("none")).toBeUndefined();
    });

    test("moves on until it is done or has failed, and stays so", async () => {
      await storage.interviews.create(interview("done"));
      const running = { state: "running", updateTime: later } as const;
      expect(await storage.interviews.update("done", running)).toBe(true);
      expect(await storage.interviews.update("done", { state: "done", report, updateTime: later })).toBe(
        true,
      );
      expect(await storage.interviews.update("done", running)).toBe(false);
      expect(await storage.interviews.get("done")).toEqual(
        interview("done", { state: "done", report, updateTime: later }),
      );

      await storage.interviews.create(interview("failed"));
      const failed = { state: "failed", failureCause: "no words", updateTime: later } as const;
      expect(await storage.interviews.update("failed", failed)).toBe(true);
      expect(await storage.interviews.update("failed", { state: "done", report, updateTime: later })).toBe(
        false,
      );
      expect(await storage.interviews.get("failed")).toEqual(interview("failed", failed));
      expect(await storage.interviews.update("none", failed)).toBe(false);
    });

    test("is listed without its report", async () => {
      await storage.interviews.create(interview("listed", { sessionId: "of", state: "done", report }));
      const { items } = await storage.interviews.list({ sessionId: "of" }, { size: 5 });
      expect(items).toEqual([interview("listed", { sessionId: "of", state: "done" })]);
    });
  });
});
