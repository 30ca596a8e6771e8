import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { meetingName, meetingNameOfClient } from "../../../../src/token/targets/jitsi/meeting-name.ts";

/** The name, or "invalid" for what is refused. */
function nameOf(roomName: string): string {
  try {
    return meetingName(roomName);
  } catch (error) {
    expect(error).toMatchObject({ name: "TokenRequestError", code: "invalid" });
    expect((error as Error).message).toMatch(/^room_name: /);
    return "invalid";
  }
}

/** As jitsi-meet's client makes the room's address of what stands in a URL (`getBackendSafeRoomName`), said again. */
function clientName(pathPart: string): string {
  const kept = pathPart.replace(/[:?#[\]@!$&'()*+,;=></"]/g, "");
  let name = kept;
  try {
    name = decodeURIComponent(kept);
  } catch {
    // It was not encoded.
  }
  return encodeURIComponent(name.normalize("NFKC").toLowerCase()).toLowerCase();
}

describe("the name of a meeting", () => {
  test.each([
    ["daily", "daily"],
    ["Daily-Stand_Up.2~", "daily-stand_up.2~"],
    ["My Room", "my%20room"],
    ["ÄRGER", "%c3%a4rger"],
    ["A\u0308rger", "%c3%a4rger"],
    ["Ｆｕｌｌ", "full"],
    ["会議", "%e4%bc%9a%e8%ad%b0"],
    ["🎤 talk", "%f0%9f%8e%a4%20talk"],
  ])("%s is %s", (roomName, name) => {
    expect(nameOf(roomName)).toBe(name);
  });

  test.each([
    ...Array.from("*:?#[]@!$&'()+,;=></\"\\^`{|}%", (character) => `a${character}b`),
    "．．", // two dots once it is normalised
    "＊", // an asterisk once it is normalised
    "⁈", // a question mark and an exclamation mark
    ".",
    "..",
    " . ",
    " ",
    "[a-z]+",
    ".*",
    "会".repeat(128),
  ])("is not made of %s", (roomName) => {
    expect(nameOf(roomName)).toBe("invalid");
  });

  test("is what a client makes of the meeting's URL, for any name that is taken", () => {
    const word = fc.string({ unit: "grapheme", minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(word, (roomName) => {
        fc.pre(!/\p{C}/u.test(roomName));
        const name = nameOf(roomName);
        if (name === "invalid") return;
        expect(clientName(encodeURIComponent(roomName))).toBe(name);
        expect(meetingNameOfClient(roomName)).toBe(name);
        expect(meetingNameOfClient(encodeURIComponent(roomName))).toBe(name);
        // Prosody compares the address with string.lower of the claim, which changes ASCII letters alone.
        expect(name).toMatch(/^[\x21-\x40\x5b-\x7e]+$/);
        expect(name).not.toContain("*");
      }),
      { numRuns: 3000 },
    );
  });

  test("looks at any text of a caller without an error", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect(meetingNameOfClient(text)).toMatch(/^[\x21-\x7e]*$/);
      }),
    );
    expect(meetingNameOfClient("\ud800%zz")).toMatch(/^%ef%bf%bd%25zz$/);
  });
});
