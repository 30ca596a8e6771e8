/** Request id, log line, deadline and validation, over Connect's in-memory transport. */
import { create } from "@bufbuild/protobuf";
import {
  Code,
  ConnectError,
  createClient,
  createContextKey,
  createRouterTransport,
  type CallOptions,
  type HandlerContext,
  type Interceptor,
  type ServiceImpl,
} from "@connectrpc/connect";
import { pino } from "pino";
import { describe, expect, test, vi } from "vitest";
import { ViolationsSchema } from "../../../gen/ts/buf/validate/validate_pb.ts";
import { TokenService } from "../../../gen/ts/parley/token/v1/token_pb.ts";
import {
  TranscribeRequestSchema,
  TranscriptionService,
  type TranscribeRequest,
} from "../../../gen/ts/parley/transcription/v1/transcription_pb.ts";
import { deadlineInterceptor } from "../../../src/gateway/interceptors/deadline.ts";
import { logInterceptor } from "../../../src/gateway/interceptors/log.ts";
import { requestIdInterceptor, requestIdKey } from "../../../src/gateway/interceptors/request-id.ts";
import { validationInterceptor } from "../../../src/gateway/interceptors/validation.ts";

type Service = Partial<ServiceImpl<typeof TranscriptionService>>;

function clientOf(interceptors: Interceptor[], service: Service) {
  const transport = createRouterTransport(
    (router) => {
      router.service(TranscriptionService, service);
      router.service(TokenService, { createLiveKitToken: () => ({}) });
    },
    { router: { interceptors } },
  );
  return { ...createClient(TranscriptionService, transport), tokens: createClient(TokenService, transport) };
}

const errorOf = (promise: Promise<unknown>) =>
  promise.then(
    () => expect.unreachable("the call succeeded"),
    (reason: unknown) => ConnectError.from(reason),
  );

async function drain(messages: AsyncIterable<unknown>): Promise<number> {
  let count = 0;
  for await (const _ of messages) count++;
  return count;
}

function* echoAll(count: number): Generator<{ sequence: number }> {
  for (let sequence = 1; sequence <= count; sequence++) yield { sequence };
}
async function* transcribeAll(requests: AsyncIterable<TranscribeRequest>) {
  yield* echoAll(await drain(requests));
}
async function* send(...messages: TranscribeRequest["message"][]) {
  for (const message of messages) yield create(TranscribeRequestSchema, { message: message as never });
}

describe("request id", () => {
  const call = async (sent?: string) => {
    let seen: string | undefined;
    let got: string | null = null;
    const client = clientOf([requestIdInterceptor()], {
      listSessions: (_request, context) => {
        seen = context.values.get(requestIdKey);
        return {};
      },
    });
    const options: CallOptions = { onHeader: (headers) => (got = headers.get("x-request-id")) };
    await client.listSessions(
      {},
      sent === undefined ? options : { ...options, headers: { "x-request-id": sent } },
    );
    return { seen, got };
  };

  test("is the client's own when it is sane", async () => {
    expect(await call("trace-0123.A_b")).toEqual({ seen: "trace-0123.A_b", got: "trace-0123.A_b" });
  });

  test.each([undefined, "", "short", "a".repeat(65), "with space", "eyJhbGciOi/eyJ", 'quote"quote'])(
    "is a new one instead of %j",
    async (sent) => {
      const { seen, got } = await call(sent);
      expect(got).toMatch(/^[0-9a-f]{8}-[0-9a-f-]{27}$/);
      expect(seen).toBe(got);
    },
  );

  test("comes with errors too", async () => {
    const client = clientOf([requestIdInterceptor()], {
      listSessions: () => {
        throw new ConnectError("no", Code.NotFound);
      },
    });
    const error = await errorOf(client.listSessions({}, { headers: { "x-request-id": "trace-0123" } }));
    expect(error.metadata.get("x-request-id")).toBe("trace-0123");
  });
});

describe("log line", () => {
  const callerKey = createContextKey("");
  const setup = (service: Service) => {
    const lines: Record<string, unknown>[] = [];
    const log = pino(
      { level: "debug" },
      { write: (line: string) => void lines.push(JSON.parse(line) as never) },
    );
    let clock = 1000;
    const setCaller: Interceptor = (next) => (request) => {
      request.contextValues.set(callerKey, "user:ada");
      return next(request);
    };
    const logging = logInterceptor({
      log,
      nowMs: () => (clock += 12.34),
      caller: (values) => values.get(callerKey) || undefined,
    });
    return { lines, client: clientOf([requestIdInterceptor(), logging, setCaller], service) };
  };

  test("says what, who, how and how long, and nothing secret", async () => {
    const { lines, client } = setup({ listSessions: () => ({ nextPageToken: "spoken-canary" }) });
    await client.listSessions(
      { roomName: "room-canary" },
      {
        headers: {
          authorization: "Bearer token-canary",
          "user-agent": "u".repeat(500),
          "x-request-id": "trace-0123",
        },
      },
    );
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatchObject({
      level: 30,
      method: "parley.transcription.v1.TranscriptionService/ListSessions",
      code: "ok",
      durationMs: 12.3,
      requestId: "trace-0123",
      caller: "user:ada",
      userAgent: "u".repeat(200),
    });
    expect(JSON.stringify(lines)).not.toContain("canary");
  });

  test("a failing call has its code, and the level that it deserves", async () => {
    const codes: [unknown, string, number][] = [
      [new ConnectError("canary", Code.NotFound), "not_found", 30],
      [new ConnectError("canary", Code.Unavailable), "unavailable", 40],
      [new Error("canary"), "internal", 50],
    ];
    for (const [thrown, code, level] of codes) {
      const { lines, client } = setup({
        listSessions: () => {
          throw thrown;
        },
      });
      await errorOf(client.listSessions({}));
      expect(lines).toEqual([expect.objectContaining({ code, level })]);
      expect(JSON.stringify(lines)).not.toContain("canary");
    }
  });

  test("a stream is one line, at its end", async () => {
    const { lines, client } = setup({ transcribe: transcribeAll });
    const stream = client.transcribe(send({ case: undefined }, { case: undefined }));
    expect(lines).toEqual([]);
    expect(await drain(stream)).toBe(2);
    expect(lines).toEqual([expect.objectContaining({ code: "ok" })]);
  });

  test("a stream that fails, and one whose client goes, are one line each", async () => {
    const failing = setup({
      async *transcribe() {
        yield {};
        throw new ConnectError("gone", Code.Aborted);
      },
    });
    await errorOf(drain(failing.client.transcribe(send())));
    expect(failing.lines).toEqual([expect.objectContaining({ code: "aborted" })]);

    const abort = new AbortController();
    const leaving = setup({
      async *transcribe(_requests, context) {
        yield {};
        await new Promise((resolve) => context.signal.addEventListener("abort", resolve));
      },
    });
    const stream = leaving.client.transcribe(send(), { signal: abort.signal })[Symbol.asyncIterator]();
    await stream.next();
    const next = errorOf(stream.next());
    abort.abort();
    expect(await next).toMatchObject({ code: Code.Canceled });
    await expect.poll(() => leaving.lines).toEqual([expect.objectContaining({ code: "canceled" })]);
  });
});

describe("deadline", () => {
  const never = () => new Promise<never>(() => undefined);

  test("a handler that looks at nothing is cut at the default", async () => {
    const client = clientOf([deadlineInterceptor({ unaryDefaultMs: 20 })], { listSessions: never });
    expect(await errorOf(client.listSessions({}))).toMatchObject({ code: Code.DeadlineExceeded });
  });

  test("a client's own deadline is kept when shorter, and cut at the maximum", async () => {
    const client = clientOf([deadlineInterceptor({ unaryDefaultMs: 600_000, unaryMaxMs: 30 })], {
      listSessions: never,
    });
    // The client's transport would end the call by itself at the deadline; the header alone asks the server to.
    for (const timeout of ["10", "500000"]) {
      const error = await errorOf(client.listSessions({}, { headers: { "connect-timeout-ms": timeout } }));
      expect(error).toMatchObject({ code: Code.DeadlineExceeded });
    }
  });

  test("the handler's signal aborts, and whatever it throws then is DEADLINE_EXCEEDED", async () => {
    const client = clientOf([deadlineInterceptor({ unaryDefaultMs: 20 })], {
      listSessions: async (_request, context) => {
        await new Promise((resolve) => context.signal.addEventListener("abort", resolve));
        throw new Error("stopped, as asked");
      },
    });
    expect(await errorOf(client.listSessions({}))).toMatchObject({ code: Code.DeadlineExceeded });
  });

  test("a TimeoutError of the handler is DEADLINE_EXCEEDED, not CANCELED", async () => {
    const client = clientOf([deadlineInterceptor()], {
      listSessions: () => Promise.reject(new DOMException("late", "TimeoutError")),
    });
    expect(await errorOf(client.listSessions({}))).toMatchObject({ code: Code.DeadlineExceeded });
  });

  test("a call in time is let through, its signal ends with it, and no timer is left", async () => {
    const clear = vi.spyOn(globalThis, "clearTimeout");
    let signal: AbortSignal | undefined;
    const client = clientOf([deadlineInterceptor()], {
      listSessions: (_request: unknown, context: HandlerContext) => {
        signal = context.signal;
        return { nextPageToken: "x" };
      },
    });
    expect((await client.listSessions({})).nextPageToken).toBe("x");
    expect(signal?.aborted).toBe(true);
    expect(clear).toHaveBeenCalled();
    clear.mockRestore();
  });

  test("a stream has none of its own, and keeps its client's even when the handler does not", async () => {
    const client = clientOf([deadlineInterceptor({ unaryDefaultMs: 1, unaryMaxMs: 1 })], {
      async *transcribe(requests) {
        await new Promise((resolve) => setTimeout(resolve, 20));
        yield* transcribeAll(requests);
      },
      async *watchSession() {
        yield {};
        await never();
      },
    });
    expect(await drain(client.transcribe(send({ case: undefined })))).toBe(1);
    const watch = client.watchSession({}, { headers: { "grpc-timeout": "20m", "connect-timeout-ms": "20" } });
    expect(await errorOf(drain(watch))).toMatchObject({ code: Code.DeadlineExceeded });
  });
});

describe("validation", () => {
  const client = clientOf([validationInterceptor()], {
    listSessions: () => ({}),
    exportTranscript: () => ({}),
    transcribe: transcribeAll,
  });

  test("a good message passes", async () => {
    await client.listSessions({ roomName: "r", pageSize: 200 });
  });

  test("a bad one is INVALID_ARGUMENT with the field, what it must be, and details", async () => {
    const error = await errorOf(client.listSessions({ pageSize: 201 }));
    expect(error.code).toBe(Code.InvalidArgument);
    expect(error.rawMessage).toMatch(/^page_size: must be .*200/);
    const [details] = error.findDetails(ViolationsSchema);
    expect(details?.violations[0]?.field?.elements[0]?.fieldName).toBe("page_size");
  });

  test("several faults are named at once, an enum left out among them", async () => {
    const error = await errorOf(client.exportTranscript({}));
    expect(error.rawMessage).toContain("session_id: ");
    expect(error.rawMessage).toContain("format: must be set to one of the defined values");
  });

  test("neither values nor map keys are echoed", async () => {
    const long = await errorOf(
      client.listSessions({ roomName: "canary".repeat(100), pageToken: "canary".repeat(100) }),
    );
    const attributes = { ["canary".repeat(100)]: "canary".repeat(10_000) };
    const map = await errorOf(
      client.tokens.createLiveKitToken({ roomName: "r", participantIdentity: "i", attributes }),
    );
    expect(map.rawMessage).toContain("attributes: ");
    for (const error of [long, map]) {
      expect(error.code).toBe(Code.InvalidArgument);
      expect(error.rawMessage).not.toContain("canary");
      expect(JSON.stringify(error.findDetails(ViolationsSchema))).not.toContain("canary");
    }
  });

  test("a thousand faults are told in a few lines", async () => {
    const keyterms = Array.from({ length: 99 }, () => "");
    const error = await errorOf(
      drain(client.transcribe(send({ case: "config", value: { keyterms } as never }))),
    );
    expect(error.rawMessage.length).toBeLessThan(2000);
    expect(error.rawMessage).toContain("and 89 more");
  });

  test("each message of a stream is checked", async () => {
    const bad = { case: "config", value: { sampleRateHz: 7000 } as never } as const;
    const good = { case: "config", value: { sampleRateHz: 16_000 } as never } as const;
    expect(await drain(client.transcribe(send(good, good)))).toBe(2);
    const error = await errorOf(drain(client.transcribe(send(good, bad))));
    expect(error.rawMessage).toMatch(/^config\.sample_rate_hz: must be /);
  });

  test("what is checked elsewhere is skipped, and only that", async () => {
    const skipping = clientOf(
      [
        validationInterceptor({
          skip: {
            [TranscribeRequestSchema.typeName]: (m) => (m as TranscribeRequest).message.case === "audio",
          },
        }),
      ],
      { transcribe: transcribeAll },
    );
    const emptyAudio = { case: "audio", value: {} as never } as const;
    const bad = { case: "config", value: { sampleRateHz: 7000 } as never } as const;
    expect(await drain(skipping.transcribe(send(emptyAudio)))).toBe(1);
    expect(await errorOf(drain(skipping.transcribe(send(bad))))).toMatchObject({
      code: Code.InvalidArgument,
    });
    expect(await errorOf(drain(client.transcribe(send(emptyAudio))))).toMatchObject({
      code: Code.InvalidArgument,
    });
  });
});
