/** Expected matches are those of Lua 5.4's string.match. */
import { describe, expect, test } from "vitest";
import { countQuantifiers, matchLuaPattern } from "../../../../src/token/targets/jitsi/match-lua-pattern.ts";

describe("a Lua pattern", () => {
  test.each<[text: string, pattern: string, matched: string | undefined]>([
    ["talk", "talk", "talk"],
    ["talk", "al", "al"],
    ["talk", "^al", undefined],
    ["talk", "^talk$", "talk"],
    ["ta^lk$", "a^l", "a^l"],
    ["a$b", "a$b", "a$b"],
    ["team-7", "team%-%d", "team-7"],
    ["team-7", "team-%d", undefined],
    ["teaaam7", "tea-m%d", "teaaam7"],
    ["abc", "a.-c", "abc"],
    ["abcbc", "a.-c", "abc"],
    ["abcbc", "a.*c", "abcbc"],
    ["abcbc", "a(.*)c", "bcb"],
    ["abcbc", "(a)(.)", "a"],
    ["colour", "colou?r", "colour"],
    ["color", "colou?r", "color"],
    ["room_1", "[%w_]+", "room_1"],
    ["room-1", "[%w_]+", "room"],
    ["]x", "[]x]+", "]x"],
    ["a-", "[a-]+", "a-"],
    ["b", "[^a]", "b"],
    ["a]", "[^]]", "a"],
    ["c", "[c-a]", undefined],
    ["a1", "%a%d", "a1"],
    ["A", "%l", undefined],
    ["%", "%%", "%"],
    [".", "%.", "."],
    ["my%20room", "%w+", "my"],
    ["my%20room", "my%%20room", "my%20room"],
    ["abab", "(ab)%1", "ab"],
    ["abac", "(ab)%1", undefined],
    ["*", "*", "*"],
    ["+a", "^+a", "+a"],
    ["x", "%S", "x"],
    [" ", "%S", undefined],
    ["", "a*", ""],
  ])("%j of %j", (text, pattern, matched) => {
    expect(matchLuaPattern(text, pattern)).toBe(matched);
  });

  test.each([
    ["has a set without an end", "[a"],
    ["has a set without an end", "[]"],
    ["ends with %", "a%"],
    ["uses %b", "%b()"],
    ["uses %f", "%f[%w]"],
    ["captures a position", "()a"],
    ["refers to a capture that has not ended", "%1"],
    ["refers to a capture that has not ended", "(a%1)"],
    ["is none", "(a"],
    ["is none", "a)"],
  ])("that %s is not matched", (message, pattern) => {
    expect(() => matchLuaPattern("a", pattern)).toThrow(
      expect.objectContaining({ name: "LuaPatternError", message }),
    );
  });

  test.each([
    ["a*b+c-d?", 4],
    ["a%*b%-c", 0],
    ["[a-z]%d", 0],
    ["[a-z]*-", 2],
    ["[*+", 0],
    ["", 0],
  ])("%j repeats %i things", (pattern, count) => {
    expect(countQuantifiers(pattern)).toBe(count);
  });
});
