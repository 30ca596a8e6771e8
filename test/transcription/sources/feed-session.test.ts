import { describe, expect, test } from "vitest";
import { SessionError } from "../../../src/transcription/session-error.ts";
import { feedSession } from "../../../src/transcription/sources/feed-session.ts";
import type { SourceMessage } from "../../../src/transcription/sources/session-source.ts";
import { openTestSession } from "../session/open-test-session.ts";

const audio: SourceMessage = { type: "audio", firstSample: 0, data: new Uint8Array(3200) };
const never = new Promise<never>(() => undefined);

async function* messages(
  ...given: (SourceMessage | Promise<never> | Error)[]
): AsyncGenerator<SourceMessage, undefined> {
  for (const message of given) {
    if (message instanceof Error) throw message;
    yield await message;
  }
  return undefined;
}

describe("a source", () => {
  test("that ends completes the session", async () => {
    const { session, store, clock } = await openTestSession();
    await feedSession(session, messages(audio), {
      clock,
      maxIdleMs: 30_000,
      signal: new AbortController().signal,
    });
    expect(store.ends).toMatchObject([{ reason: "completed", durationMs: 100 }]);
  });

  test("that says nothing for 30 s ends the session as idle", async () => {
    const { session, store, ended, clock } = await openTestSession();
    void feedSession(session, messages(audio, never), {
      clock,
      maxIdleMs: 30_000,
      signal: new AbortController().signal,
    });
    await clock.advance(29_999);
    expect(store.ends).toEqual([]);
    await clock.advance(1);
    await expect(ended).rejects.toMatchObject({ code: "idle" });
    await session.closed;
    expect(store.interruptions).toMatchObject([{ reason: "stalled" }]);
  });

  test("that sends keep-alives is not idle", async () => {
    const { session, store, clock } = await openTestSession();
    const pulse = async function* (): AsyncGenerator<SourceMessage, undefined> {
      for (;;) {
        await new Promise<void>((resolve) => clock.after(20_000, resolve));
        yield { type: "keep-alive" };
      }
    };
    void feedSession(session, pulse(), { clock, maxIdleMs: 30_000, signal: new AbortController().signal });
    await clock.advance(200_000);
    expect(store.ends).toEqual([]);
  });

  test("that does something wrong ends the session with what it was", async () => {
    const { session, store, ended, clock } = await openTestSession();
    const wrong: SourceMessage = { type: "audio", firstSample: 7, data: new Uint8Array(2) };
    await feedSession(session, messages(wrong), {
      clock,
      maxIdleMs: 30_000,
      signal: new AbortController().signal,
    });
    await expect(ended).rejects.toMatchObject({ code: "invalid" });
    await session.closed;
    expect(store.ends).toMatchObject([{ reason: "client-error" }]);
  });

  test.each([
    ["breaks", new SessionError("client-gone", "the client is gone")],
    ["is aborted", undefined],
  ])("that %s closes the session as left by its client", async (_, error) => {
    const { session, store, clock } = await openTestSession();
    const connection = new AbortController();
    void feedSession(session, messages(audio, error ?? never), {
      clock,
      maxIdleMs: 30_000,
      signal: connection.signal,
    });
    if (!error) connection.abort();
    await session.closed;
    expect(store.interruptions).toMatchObject([{ reason: "client-gone" }]);
  });

  test("that is cut short by a broken connection is not blamed on what the client sent", async () => {
    const { session, store, clock } = await openTestSession();
    const connection = new AbortController();
    const source = (async function* (): AsyncGenerator<SourceMessage, undefined> {
      yield await Promise.resolve(audio);
      connection.abort();
      throw new SessionError("invalid", "half a message");
    })();
    await feedSession(session, source, { clock, maxIdleMs: 30_000, signal: connection.signal });
    await session.closed;
    expect(store.interruptions).toMatchObject([{ reason: "client-gone" }]);
  });

  test("that fails for no reason of the client's is an error of the server", async () => {
    const { session, store, clock } = await openTestSession();
    await feedSession(session, messages(audio, new TypeError("a defect")), {
      clock,
      maxIdleMs: 30_000,
      signal: new AbortController().signal,
    });
    await session.closed;
    expect(store.interruptions).toMatchObject([{ reason: "server-error" }]);
  });

  test("that fails with a session's own error keeps its code", async () => {
    const { session, ended, clock } = await openTestSession();
    const source = messages(new SessionError("forbidden", "not yours"));
    await feedSession(session, source, { clock, maxIdleMs: 30_000, signal: new AbortController().signal });
    await expect(ended).rejects.toMatchObject({ code: "forbidden", message: "not yours" });
  });
});
