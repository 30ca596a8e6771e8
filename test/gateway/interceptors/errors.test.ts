import { Code, ConnectError, createClient, createRouterTransport } from "@connectrpc/connect";
import type { ServiceImpl } from "@connectrpc/connect";
import { describe, expect, test } from "vitest";
import { TranscriptionService } from "../../../gen/ts/parley/transcription/v1/transcription_pb.ts";
import { AnalysisError } from "../../../src/analysis/analysis-error.ts";
import { errorsInterceptor, toConnectError } from "../../../src/gateway/interceptors/errors.ts";
import { StorageError } from "../../../src/storage/open-storage.ts";
import { ForbiddenError, TokenError, TokenRequestError } from "../../../src/token/token-error.ts";
import { IssuerError } from "../../../src/token/users/oidc/issuer-error.ts";
import { EngineError } from "../../../src/transcription/engines/speech-engine.ts";
import { SessionError } from "../../../src/transcription/session-error.ts";

const canary = "canary-7c1d a word that was spoken";

/** What the caller gets, and whether the error was one for the log. */
function convert(error: unknown): { error: ConnectError; ids: string[] } {
  const ids: string[] = [];
  return { error: toConnectError(error, (id) => ids.push(id)), ids };
}

describe("an error that the caller can mend keeps its message", () => {
  test.each([
    [new SessionError("invalid", "m"), Code.InvalidArgument],
    [new SessionError("unsupported", "m"), Code.Unimplemented],
    [new SessionError("forbidden", "m"), Code.PermissionDenied],
    [new SessionError("capacity", "m"), Code.ResourceExhausted],
    [new SessionError("engine-unavailable", "m"), Code.Unavailable],
    [new SessionError("reader-stalled", "m"), Code.ResourceExhausted],
    [new SessionError("idle", "m"), Code.DeadlineExceeded],
    [new SessionError("token-expired", "m"), Code.Unauthenticated],
    [new SessionError("superseded", "m"), Code.Aborted],
    [new SessionError("stopping", "m"), Code.Unavailable],
    [new TokenRequestError("invalid", "m"), Code.InvalidArgument],
    [new TokenRequestError("not-configured", "m"), Code.FailedPrecondition],
    [new TokenRequestError("unsupported", "m"), Code.Unimplemented],
    [new TokenRequestError("not-found", "m"), Code.NotFound],
    [new TokenRequestError("already-exists", "m"), Code.AlreadyExists],
    [new ForbiddenError("m"), Code.PermissionDenied],
    [new AnalysisError("invalid", "m"), Code.InvalidArgument],
    [new AnalysisError("not-found", "m"), Code.NotFound],
    [new AnalysisError("not-ready", "m"), Code.FailedPrecondition],
    [new EngineError("capacity", "m"), Code.ResourceExhausted],
    [new ConnectError("m", Code.NotFound), Code.NotFound],
  ])("%s", (error, code) => {
    const converted = convert(error);
    expect(converted).toMatchObject({ error: { code, rawMessage: "m" }, ids: [] });
  });
});

describe("an error whose words are not for the caller keeps its code", () => {
  test.each([
    [new StorageError("unavailable", canary), Code.Unavailable],
    [new StorageError("fenced", canary), Code.Aborted],
    [new StorageError("bad-page-token", canary), Code.InvalidArgument],
    [new TokenError("signature", canary), Code.Unauthenticated],
    [new TokenError("revoked", canary), Code.Unauthenticated],
    [new IssuerError(canary, new Error(canary)), Code.Unavailable],
  ])("%s", (error, code) => {
    const converted = convert(error);
    expect(converted).toMatchObject({ error: { code }, ids: [] });
    expect(converted.error.rawMessage).not.toBe("");
    expect(converted.error.message).not.toContain("canary");
  });
});

const internal: readonly [string, unknown][] = [
  ["an Error", new Error(canary)],
  ["a TypeError", new TypeError(canary, { cause: new Error(canary) })],
  ["a text", canary],
  ["undefined", undefined],
  ["null", null],
  ["an object", { code: "invalid", name: "SessionError", message: canary }],
  [
    "an Error that calls itself by another's name",
    Object.assign(new Error(canary), { name: "TokenError", code: "invalid" }),
  ],
  ["an Error with a code of Connect", Object.assign(new Error(canary), { code: Code.NotFound })],
  [
    "a storage error without a known code",
    Object.assign(new Error(canary), { name: "StorageError", code: "x" }),
  ],
  ["SessionError internal", new SessionError("internal", canary)],
  ["EngineError unavailable", new EngineError("unavailable", canary)],
  ["EngineError internal", new EngineError("internal", canary)],
  ["StorageError conflict", new StorageError("conflict", canary)],
  ["StorageError locked", new StorageError("locked", canary)],
  ["StorageError corrupt", new StorageError("corrupt", canary)],
  ["StorageError disk-full", new StorageError("disk-full", canary)],
  ["StorageError internal", new StorageError("internal", canary, new Error(canary))],
  ["ConnectError internal", new ConnectError(canary, Code.Internal, undefined, undefined, new Error(canary))],
  ["ConnectError unknown", new ConnectError(canary, Code.Unknown)],
];

describe("anything else is INTERNAL with an id, and nothing of what happened", () => {
  test.each(internal)("%s", (_, error) => {
    const { error: converted, ids } = convert(error);
    expect(ids).toEqual([expect.stringMatching(/^[0-9a-f-]{36}$/)]);
    expect(converted.code).toBe(Code.Internal);
    expect(converted.rawMessage).toBe(`internal error (${ids[0]!})`);
    expect(converted.details).toEqual([]);
    expect([...converted.metadata]).toEqual([]);
    expect(converted.cause).toBeUndefined();
  });

  test("the id differs each time", () => {
    expect(convert(new Error("one")).ids).not.toEqual(convert(new Error("one")).ids);
  });
});

describe("over a call", () => {
  type Service = Partial<ServiceImpl<typeof TranscriptionService>>;
  function serve(service: Service) {
    const logged: { errorId: string; method: string; error: unknown }[] = [];
    const interceptors = [
      errorsInterceptor({
        onInternalError: (errorId, method, error) => logged.push({ errorId, method, error }),
      }),
    ];
    const transport = createRouterTransport((router) => router.service(TranscriptionService, service), {
      router: { interceptors },
    });
    return { client: createClient(TranscriptionService, transport), logged };
  }
  async function outcome(messages: AsyncIterable<{ sequence: number }>) {
    const sequences: number[] = [];
    try {
      for await (const { sequence } of messages) sequences.push(sequence);
    } catch (error) {
      return { sequences, error: error as ConnectError };
    }
    return { sequences, error: undefined };
  }

  test.each(internal)("the log has the whole of %s, the client only its id", async (_, thrown) => {
    const { client, logged } = serve({
      getSession: async () => {
        throw thrown;
      },
    });
    const error = (await client
      .getSession({ sessionId: "s" })
      .catch((caught: unknown) => caught)) as ConnectError;
    expect(logged).toEqual([
      {
        errorId: logged[0]?.errorId,
        method: "parley.transcription.v1.TranscriptionService.GetSession",
        error: thrown,
      },
    ]);
    expect(error.code).toBe(Code.Internal);
    expect(error.rawMessage).toBe(`internal error (${logged[0]!.errorId})`);
    expect(JSON.stringify([error.message, error.details, [...error.metadata], error.stack])).not.toContain(
      "canary",
    );
  });

  test("a stream that fails in the middle gives what came before, and then the mapped error", async () => {
    for (const [thrown, code] of [
      [new SessionError("capacity", "full"), Code.ResourceExhausted],
      [new StorageError("unavailable", canary), Code.Unavailable],
      [new Error(canary), Code.Internal],
    ] as const) {
      const { client, logged } = serve({
        async *transcribe() {
          yield { sequence: 1 };
          yield { sequence: 2 };
          throw thrown;
        },
      });
      const { sequences, error } = await outcome(client.transcribe((async function* () {})()));
      expect(sequences).toEqual([1, 2]);
      expect(error?.code).toBe(code);
      expect(error?.message).not.toContain("canary");
      expect(logged.map((line) => line.error)).toEqual(code === Code.Internal ? [thrown] : []);
    }
  });

  test("a stream that fails before its first message is mapped too", async () => {
    const { client } = serve({
      async *transcribe() {
        throw new SessionError("forbidden", "room_name does not match token");
      },
    });
    const { sequences, error } = await outcome(client.transcribe((async function* () {})()));
    expect(sequences).toEqual([]);
    expect(error).toMatchObject({
      code: Code.PermissionDenied,
      rawMessage: "room_name does not match token",
    });
  });

  test("a reader that leaves a stream ends what it reads from, and nothing is logged", async () => {
    let ended = false;
    async function* messages() {
      try {
        for (let sequence = 1; ; sequence++) yield { sequence };
      } finally {
        ended = true;
      }
    }
    const logged: unknown[] = [];
    const call = errorsInterceptor({ onInternalError: (errorId) => logged.push(errorId) })(
      async () => ({ stream: true, message: messages() }) as never,
    );
    const method = TranscriptionService.method.transcribe;
    const response = await call({ stream: true, service: TranscriptionService, method } as never);
    for await (const message of response.message as AsyncIterable<{ sequence: number }>) {
      if (message.sequence === 3) break;
    }
    expect(ended).toBe(true);
    expect(logged).toEqual([]);
  });

  test("a handler that ends with the reason of its call's abort has no internal error", async () => {
    const logged: unknown[] = [];
    const errors = errorsInterceptor({ onInternalError: (_id, _method, error) => logged.push(error) });
    const outcomeOf = async (signal: AbortSignal, thrown: unknown) => {
      const method = TranscriptionService.method.getSession;
      const request = { stream: false, service: TranscriptionService, method, signal } as never;
      return errors(() => Promise.reject(thrown as Error))(request).catch((error: unknown) => error);
    };
    const left = AbortSignal.abort();
    expect(await outcomeOf(left, left.reason)).toMatchObject({ code: Code.Canceled });
    expect(logged).toEqual([]);
    const late = AbortSignal.abort(new ConnectError("too late", Code.DeadlineExceeded));
    expect(await outcomeOf(late, late.reason)).toMatchObject({
      code: Code.DeadlineExceeded,
      rawMessage: "too late",
    });
    expect(logged).toEqual([]);
    const reset = AbortSignal.abort(new ConnectError("http/2 stream closed", Code.Internal));
    expect(await outcomeOf(reset, reset.reason)).toMatchObject({ code: Code.Canceled });
    expect(logged).toEqual([]);
    const other = new Error(canary);
    expect(await outcomeOf(left, other)).toMatchObject({ code: Code.Internal });
    expect(logged).toEqual([other]);
  });

  test("a call that goes well is left alone", async () => {
    const { client, logged } = serve({ listSessions: () => ({ nextPageToken: "next" }) });
    await expect(client.listSessions({})).resolves.toMatchObject({ nextPageToken: "next" });
    expect(logged).toEqual([]);
  });
});
