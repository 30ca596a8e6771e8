import { describe, expect, test } from "vitest";
import { StreamLimits } from "../../../src/transcription/session/stream-limits.ts";
import type { StreamOrigin } from "../../../src/transcription/session/stream-limits.ts";

const origin = (identity: string, fields: Partial<StreamOrigin> = {}): StreamOrigin => ({
  speaker: { userId: "ada", roomName: "room", participantIdentity: identity },
  ...fields,
});
const small = { maxStreams: 4, maxPerParticipant: 2, maxPerAddress: 3 };
const limited = (named: string): unknown =>
  expect.objectContaining({
    name: "SessionError",
    code: "limit",
    message: expect.stringContaining(named) as string,
  });

describe("the stream that is one too many is refused by the name of its limit, and leaves nothing behind", () => {
  test("of a participant: the same user, room and identity", () => {
    const limits = new StreamLimits(small);
    const [first] = [limits.admit(origin("a")), limits.admit(origin("a"))];
    for (let times = 0; times < 3; times++) {
      expect(() => limits.admit(origin("a"))).toThrow(limited("MAX_STREAMS_PER_PARTICIPANT"));
    }
    expect(limits.count).toBe(2);
    for (const other of [{ userId: "bob" }, { roomName: "other" }]) {
      const { speaker } = origin("a");
      limits.admit({ speaker: { ...speaker, ...other } }).release();
    }
    first.release();
    limits.admit(origin("a"));
  });

  test("from an address, whoever they are; who has none is not counted there", () => {
    const limits = new StreamLimits(small);
    for (const identity of ["a", "b", "c"]) limits.admit(origin(identity, { address: "192.0.2.1" }));
    const fourth = (fields: Partial<StreamOrigin>) => limits.admit(origin("d", fields)).release();
    expect(() => fourth({ address: "192.0.2.1" })).toThrow(limited("MAX_STREAMS_PER_ADDRESS"));
    fourth({ address: "192.0.2.2" });
    fourth({});
  });

  test("in all", () => {
    const limits = new StreamLimits(small);
    const open = ["a", "b", "c", "d"].map((identity) => limits.admit(origin(identity)));
    expect(() => limits.admit(origin("e"))).toThrow(limited("MAX_STREAMS "));
    open[2]!.release();
    open[2]!.release(); // gives back one, not two
    limits.admit(origin("e"));
    expect(() => limits.admit(origin("f"))).toThrow(limited("MAX_STREAMS "));
  });
});

describe("a stream that resumes a session", () => {
  const one = { maxStreams: 1, maxPerParticipant: 1, maxPerAddress: 1 };
  const fromHome = { address: "192.0.2.1" };

  test("is not refused because the one that it replaces still counts, and counts when that is gone", () => {
    const limits = new StreamLimits(one);
    const older = limits.admit(origin("a", fromHome));
    older.serves("session-1");
    const newer = limits.admit(origin("a", { ...fromHome, resumes: "session-1" }));
    newer.serves("session-1");
    expect(() => limits.admit(origin("b"))).toThrow(limited("MAX_STREAMS "));
    older.release();
    expect(() => limits.admit(origin("b"))).toThrow(limited("MAX_STREAMS "));
    newer.release();
    limits.admit(origin("b"));
  });

  test("may come from another address, if that has room", () => {
    const limits = new StreamLimits({ ...one, maxStreams: 2 });
    limits.admit(origin("a", fromHome)).serves("session-1");
    const away = { address: "192.0.2.2", resumes: "session-1" };
    limits.admit(origin("a", away)).release();
    limits.admit(origin("b", { address: "192.0.2.2" }));
    expect(() => limits.admit(origin("a", away))).toThrow(limited("MAX_STREAMS_PER_ADDRESS"));
  });

  test("that fails leaves the one that it would have replaced counted", () => {
    const limits = new StreamLimits(one);
    limits.admit(origin("a")).serves("session-1");
    limits.admit(origin("a", { resumes: "session-1" })).release();
    expect(() => limits.admit(origin("a"))).toThrow(limited("MAX_STREAMS_PER_PARTICIPANT"));
  });

  test("that is served elsewhere, or is somebody else's, counts as any other", () => {
    const limits = new StreamLimits(one);
    limits.admit(origin("a")).serves("session-1");
    expect(() => limits.admit(origin("a", { resumes: "session-2" }))).toThrow(
      limited("MAX_STREAMS_PER_PARTICIPANT"),
    );
    expect(() => limits.admit(origin("b", { resumes: "session-1" }))).toThrow(limited("MAX_STREAMS "));
  });

  test("is no way around the limits: few streams of a session may be open at once", () => {
    const limits = new StreamLimits(one);
    limits.admit(origin("a")).serves("session-1");
    for (let times = 0; times < 3; times++) limits.admit(origin("a", { resumes: "session-1" }));
    expect(() => limits.admit(origin("a", { resumes: "session-1" }))).toThrow(limited("this session"));
  });

  test("that is new and has no id yet is not taken for another's", () => {
    const limits = new StreamLimits(one);
    limits.admit(origin("a"));
    expect(() => limits.admit(origin("a"))).toThrow(limited("MAX_STREAMS_PER_PARTICIPANT"));
  });
});
