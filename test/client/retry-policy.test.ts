import { Code, ConnectError } from "@connectrpc/connect";
import { describe, expect, test } from "vitest";
import { RetryPolicy } from "../../src/client/retry-policy.ts";
import type { BrokenStream } from "../../src/client/retry-policy.ts";
import { TokenUnavailable } from "../../src/client/token-source.ts";
import { StreamLeft } from "../../src/client/transcribe-stream.ts";
import { defaultTiming } from "../../src/client/transcription-options.ts";

const timing = { ...defaultTiming, firstBackoffMs: 100, maxBackoffMs: 1000, giveUpAfterMs: 60_000 };
const policyOf = ({
  random = () => 1,
  canRenewToken = true,
}: { random?: () => number; canRenewToken?: boolean } = {}) =>
  new RetryPolicy({ timing, random, canRenewToken, nowMs: 0 });
const broken = (failure: unknown, given: Partial<BrokenStream> = {}): BrokenStream => ({
  failure,
  nowMs: 0,
  hasSession: true,
  hasStarted: false,
  hasWorked: false,
  ...given,
});
const error = (code: Code) => new ConnectError("because", code);
const unavailable = error(Code.Unavailable);

describe("the wait before the next stream", () => {
  test("doubles up to a maximum, and begins anew after a stream that worked", () => {
    const policy = policyOf();
    const waits = Array.from({ length: 6 }, () => policy.next(broken(unavailable)));
    expect(waits.map((step) => "waitMs" in step && step.waitMs)).toEqual([100, 200, 400, 800, 1000, 1000]);
    expect(policy.next(broken(unavailable, { hasStarted: true }))).toMatchObject({ waitMs: 1000 });
    expect(policy.next(broken(unavailable, { hasStarted: true, hasWorked: true }))).toMatchObject({
      waitMs: 100,
    });
  });

  test("is anything from nothing to that", () => {
    expect(policyOf({ random: () => 0 }).next(broken(unavailable))).toMatchObject({ waitMs: 0 });
    expect(policyOf({ random: () => 0.5 }).next(broken(unavailable))).toMatchObject({ waitMs: 50 });
  });

  test("is longer when the server is full", () => {
    expect(policyOf().next(broken(error(Code.ResourceExhausted)))).toMatchObject({ waitMs: 800 });
  });

  test("is none when the server said that it stops, unless it says nothing else", () => {
    const stopping = new StreamLeft("server-stopping");
    expect(policyOf().next(broken(stopping, { hasWorked: true }))).toMatchObject({ waitMs: 0 });
    expect(policyOf().next(broken(stopping))).toMatchObject({ waitMs: 100 });
  });
});

describe("giving up", () => {
  test.each([
    [Code.Unauthenticated, true],
    [Code.PermissionDenied, true],
    [Code.Unavailable, false],
  ])("is at once when the app's backend refuses a token (code %i: %s)", (code, isFinal) => {
    const next = policyOf().next(broken(new TokenUnavailable(error(code))));
    if (isFinal) expect(next).toMatchObject({ error: { code: "unauthenticated" } });
    else expect(next).toHaveProperty("waitMs");
  });

  test("names the limit that ended the session, which the next answer no longer does", () => {
    const policy = policyOf();
    const limit = new ConnectError("the session would be longer than 60 minutes", Code.ResourceExhausted);
    expect(policy.next(broken(limit))).toHaveProperty("waitMs");
    expect(policy.next(broken(error(Code.FailedPrecondition)))).toMatchObject({
      error: { code: "capacity", message: expect.stringContaining("longer than 60 minutes") as string },
    });
    expect(policyOf().next(broken(error(Code.FailedPrecondition)))).toMatchObject({
      error: { code: "session-lost" },
    });
  });

  test.each([
    ["unreachable", unavailable],
    ["unreachable", new StreamLeft("no-answer")],
    ["unreachable", new TokenUnavailable(new Error("offline"))],
    ["capacity", error(Code.ResourceExhausted)],
  ])("says %s", (code, failure) => {
    const policy = policyOf();
    expect(policy.next(broken(failure, { nowMs: 59_999 }))).toHaveProperty("waitMs");
    expect(policy.next(broken(failure, { nowMs: 60_000 }))).toMatchObject({
      error: { code, cause: failure },
    });
  });

  test("counts from the end of the last stream that worked", () => {
    const policy = policyOf();
    policy.next(broken(unavailable, { nowMs: 500_000, hasWorked: true }));
    expect(policy.next(broken(unavailable, { nowMs: 559_999 }))).toHaveProperty("waitMs");
    expect(policy.next(broken(unavailable, { nowMs: 560_000 }))).toHaveProperty("error");
  });
});

describe("a token that is refused", () => {
  const refused = error(Code.Unauthenticated);

  test("is replaced at once, then with waits, three times in a row", () => {
    const policy = policyOf();
    expect(policy.next(broken(refused))).toEqual({ waitMs: 0, freshToken: true });
    expect(policy.next(broken(refused))).toEqual({ waitMs: 100, freshToken: true });
    expect(policy.next(broken(unavailable))).toMatchObject({ freshToken: false });
    expect(policy.next(broken(refused))).toMatchObject({ freshToken: true });
    expect(policy.next(broken(refused))).toMatchObject({ error: { code: "unauthenticated" } });
  });

  test("in a stream that the server had taken does not count to those before", () => {
    const policy = policyOf();
    for (let time = 0; time < 10; time++) {
      expect(policy.next(broken(refused, { hasStarted: true }))).toEqual({ waitMs: 0, freshToken: true });
    }
  });

  test("ends it when there is no other", () => {
    expect(policyOf({ canRenewToken: false }).next(broken(refused))).toMatchObject({
      error: { code: "unauthenticated", message: expect.stringMatching(/function/) as string },
    });
  });
});

describe("another stream that took the session over", () => {
  const superseded = error(Code.Aborted);

  test("is another client's, and the end", () => {
    expect(policyOf().next(broken(superseded))).toMatchObject({ error: { code: "superseded" } });
  });

  test("is this client's own when it had abandoned one a short while ago: once for each", () => {
    const policy = policyOf();
    policy.next(broken(new StreamLeft("silent")));
    expect(policy.next(broken(superseded, { nowMs: 5000 }))).toHaveProperty("waitMs");
    expect(policy.next(broken(superseded, { nowMs: 6000 }))).toMatchObject({ error: { code: "superseded" } });
  });

  test("is not this client's after two minutes", () => {
    const policy = policyOf();
    policy.next(broken(new StreamLeft("silent")));
    expect(policy.next(broken(superseded, { nowMs: 120_000, hasWorked: true }))).toHaveProperty("error");
  });

  test("is told from a connection that was reset, which connect-node calls aborted, too", () => {
    const reset = new ConnectError(
      "read ECONNRESET",
      Code.Aborted,
      undefined,
      undefined,
      new Error("ECONNRESET"),
    );
    expect(policyOf().next(broken(reset))).toHaveProperty("waitMs");
  });
});
