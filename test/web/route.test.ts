/** The studio's addresses: read, written, and what is none. */
import { expect, test } from "vitest";
import { hrefOf, readRoute } from "../../src/web/routing/route.ts";

test.each([
  ["", { view: "record" }],
  ["#/", { view: "record" }],
  ["#/record", { view: "record" }],
  ["#/sessions", { view: "sessions" }],
  ["#/sessions/", { view: "sessions" }],
  ["#/sessions/a1", { view: "report", sessionId: "a1" }],
  ["#/rooms/a%2Fb%20c", { view: "room", roomName: "a/b c" }],
  ["#/rooms/100%", { view: "room", roomName: "100%" }],
  ["#/rooms/a/b", { view: "unknown" }],
  ["#/record/x", { view: "unknown" }],
  ["#/elsewhere", { view: "unknown" }],
])("%s is read", (hash, route) => {
  expect(readRoute(hash)).toEqual(route);
});

test("names of rooms survive the address, whatever is in them", () => {
  for (const roomName of ["stand-up", "a/b", "Größe?#&", "100%", "%41"]) {
    expect(readRoute(hrefOf({ view: "room", roomName }))).toEqual({ view: "room", roomName });
  }
});
