/** Names of rooms before the server sees them, and the letters that stand for a speaker. */
import { expect, test } from "vitest";
import { initials } from "../../../src/web/room/initials.ts";
import { roomNameProblem } from "../../../src/web/room/room-name-problem.ts";

test.each(["stand-up", " padded ", "Größe", "a/b?#", "🎙".repeat(128)])("%s is a name", (name) => {
  expect(roomNameProblem(name)).toBeUndefined();
});

test.each(["", "   ", "a*", "a\u0007b", "🎙".repeat(129)])("%j is none, and it is said why", (name) => {
  expect(roomNameProblem(name)).toMatch(/\w/);
});

test.each([
  ["ada", "A"],
  ["Ada Lovelace", "AL"],
  ["ada.m.lovelace", "AL"],
  ["user_2f9", "U2"],
  ["🎙", ""],
  ["", ""],
  ["ñandú élan", "ÑÉ"],
])("%s is known by %s", (identity, letters) => {
  expect(initials(identity)).toBe(letters);
});
