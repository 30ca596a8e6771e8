/** That a flood of the same does not fill the log, and that nothing of it is untold. */
import { beforeEach, describe, expect, test } from "vitest";
import type { AuditEntry } from "../../../src/token/audit/audit-event.ts";
import { Repeats } from "../../../src/token/audit/fold-repeats.ts";
import { refusalEntry } from "../../../src/token/audit/refusal-entry.ts";
import { createManualClock } from "../../fakes/manual-clock.ts";
import type { ManualClock } from "../../fakes/manual-clock.ts";
import { entry } from "./make-chain.ts";

let clock: ManualClock;
let recorded: (AuditEntry & { readonly atMs: number })[];
let repeats: Repeats;
let startMs: number;
beforeEach(() => {
  clock = createManualClock();
  startMs = clock.now();
  recorded = [];
  repeats = new Repeats({
    sink: { record: (told) => void recorded.push({ ...told, atMs: clock.now() - startMs }) },
    clock,
    maxOfActor: 5,
  });
});

const outcomes = () => recorded.map(({ outcome, atMs }) => [outcome, atMs]);
const refused = (peerAddress: string, code = "signature") =>
  refusalEntry({ method: "parley.token.v1.TokenService.ListRooms", code, peerAddress });

test("the first is told at once, the others at the end of each minute with their number", async () => {
  const failed = entry("room_name=talk", { outcome: "permission_denied" });
  for (let time = 0; time < 3; time++) repeats.fold(failed);
  await clock.advance(30_000);
  repeats.fold(failed);
  await clock.advance(30_000);
  repeats.fold(failed);
  await clock.advance(60_000);
  expect(outcomes()).toEqual([
    ["permission_denied", 0],
    ["permission_denied ×3", 60_000],
    ["permission_denied ×1", 120_000],
  ]);
  expect(recorded[1]).toMatchObject({ ...failed, outcome: "permission_denied ×3" });
});

test("after a quiet minute the next is told at once again, and nothing is kept", async () => {
  repeats.fold(entry("a"));
  await clock.advance(60_000);
  expect(clock.pending()).toBe(0);
  await clock.advance(1);
  repeats.fold(entry("a"));
  expect(outcomes()).toEqual([
    ["ok", 0],
    ["ok", 60_001],
  ]);
});

test("entries that differ in anything are told apart", () => {
  const same = entry("a");
  const different = [
    { actor: "b" },
    { action: "b" },
    { subject: "b" },
    { outcome: "b" },
    { peerAddress: "b" },
  ];
  for (const fields of [{}, ...different]) repeats.fold({ ...same, ...fields });
  expect(recorded).toHaveLength(6);
});

test("a refused credential is told with the RPC, the reason and the address, and by nobody", () => {
  repeats.fold(refused("192.0.2.1", "not-yet-valid"));
  expect(recorded).toMatchObject([
    {
      actor: "unknown",
      action: "credential.refuse",
      subject: "method=parley.token.v1.TokenService.ListRooms",
      outcome: "not_yet_valid",
      peerAddress: "192.0.2.1",
    },
  ]);
});

describe("a flood that is never the same", () => {
  const flood = (from: number, to: number) => {
    for (let address = from; address < to; address++) repeats.fold(refused(`192.0.2.${address}`));
  };

  test("is told without address and subject from some number on, and all of it is counted", async () => {
    flood(0, 200);
    flood(0, 200);
    expect(recorded).toHaveLength(6);
    expect(recorded.at(-1)).toEqual({
      actor: "unknown",
      action: "credential.refuse",
      subject: "",
      outcome: "signature",
      atMs: 0,
    });
    await clock.advance(60_000);
    const told = recorded.map(({ outcome }) => Number(/×(\d+)$/.exec(outcome)?.[1] ?? 1));
    expect(told.reduce((sum, count) => sum + count)).toBe(400);
    expect(recorded).toHaveLength(12);
  });

  test("keeps its reasons apart, and does not touch what others do", () => {
    flood(0, 200);
    repeats.fold(refused("192.0.2.250", "expired"));
    repeats.fold(entry("a", { actor: "user:ada" }));
    expect(recorded.slice(6)).toMatchObject([
      { outcome: "expired", subject: "" },
      { actor: "user:ada", subject: "a" },
    ]);
  });

  test("makes room again when it is over", async () => {
    flood(0, 200);
    await clock.advance(120_000);
    expect(clock.pending()).toBe(0);
    recorded = [];
    flood(0, 200);
    expect(recorded.filter(({ peerAddress }) => peerAddress !== undefined)).toHaveLength(5);
  });
});

test("what is counted is told when it stops, and what comes then is told as it comes", async () => {
  for (let time = 0; time < 4; time++) repeats.fold(entry("a"));
  repeats.fold(entry("b"));
  repeats.stop();
  expect(outcomes()).toEqual([
    ["ok", 0],
    ["ok", 0],
    ["ok ×3", 0],
  ]);
  for (let time = 0; time < 2; time++) repeats.fold(entry("a"));
  expect(recorded).toHaveLength(5);
  expect(clock.pending()).toBe(0);
});
