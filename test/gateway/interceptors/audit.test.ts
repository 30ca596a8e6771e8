/** What the audit log is told of calls, over Connect's in-memory transport: by whom, what, how it ended, and nothing secret. */
import { create, ScalarType } from "@bufbuild/protobuf";
import type { DescField, DescMessage, Message } from "@bufbuild/protobuf";
import { reflect } from "@bufbuild/protobuf/reflect";
import { Code, ConnectError, createClient, createRouterTransport } from "@connectrpc/connect";
import type { Interceptor, ServiceImpl } from "@connectrpc/connect";
import { beforeEach, describe, expect, test } from "vitest";
import { AnalysisService } from "../../../gen/ts/parley/analysis/v1/analysis_pb.ts";
import { RoomAccess, UserType } from "../../../gen/ts/parley/token/v1/room_pb.ts";
import { Target, TokenService, ValidityReason } from "../../../gen/ts/parley/token/v1/token_pb.ts";
import {
  TranscriptionService,
  TranscriptFormat,
} from "../../../gen/ts/parley/transcription/v1/transcription_pb.ts";
import { peerKey } from "../../../src/gateway/adapter/call-context.ts";
import { auditedCalls } from "../../../src/gateway/audited-calls.ts";
import { auditInterceptor, noteForAudit } from "../../../src/gateway/interceptors/audit.ts";
import { credentialsInterceptor } from "../../../src/gateway/interceptors/credentials.ts";
import { deadlineInterceptor } from "../../../src/gateway/interceptors/deadline.ts";
import { errorsInterceptor } from "../../../src/gateway/interceptors/errors.ts";
import { validationInterceptor } from "../../../src/gateway/interceptors/validation.ts";
import type { AuditEntry } from "../../../src/token/audit/audit-event.ts";
import { Repeats } from "../../../src/token/audit/fold-repeats.ts";
import type { CredentialRefusal } from "../../../src/token/audit/refusal-entry.ts";
import { nameSubject } from "../../../src/token/audit/name-subject.ts";
import type { Caller } from "../../../src/token/caller.ts";
import { ForbiddenError, TokenError, TokenRequestError } from "../../../src/token/token-error.ts";
import { createManualClock, settle } from "../../fakes/manual-clock.ts";
import type { ManualClock } from "../../fakes/manual-clock.ts";

const expireTime = new Date("2100-01-01");
const callers: Readonly<Record<string, Caller>> = {
  ada: { kind: "user", userId: "ada", issuer: "issuer", subject: "ada", expireTime },
  service: {
    kind: "service",
    apiKeyId: "0123456789abcdef",
    scopes: new Set(["tokens", "rooms", "transcripts"]),
  },
  admin: { kind: "service", apiKeyId: "fedcba9876543210", scopes: new Set(["admin"]) },
  participant: {
    kind: "participant",
    userId: "ada",
    roomName: "talk",
    participantIdentity: "Ada L.",
    userType: "host",
    tokenId: "jti-1",
    issueTime: new Date(0),
    expireTime,
  },
};

type Service = Partial<ServiceImpl<typeof TokenService>>;
type Sessions = Partial<ServiceImpl<typeof TranscriptionService>>;

let clock: ManualClock;
let recorded: AuditEntry[];
let refused: CredentialRefusal[];
let problems: string[];
/** What the log does when it is asked to write. */
let flush: () => Promise<void>;
beforeEach(() => {
  clock = createManualClock();
  recorded = [];
  refused = [];
  problems = [];
  flush = () => Promise.resolve();
});

interface Served {
  readonly tokens?: Service;
  readonly sessions?: Sessions;
  readonly address?: string;
}

function serve({ tokens = {}, sessions = {}, address }: Served) {
  const sink = { record: (entry: AuditEntry) => void recorded.push(entry), flush: () => flush() };
  const setPeer: Interceptor = (next) => (request) => {
    if (address !== undefined) request.contextValues.set(peerKey, { address, httpVersion: "2.0" });
    return next(request);
  };
  const interceptors = [
    setPeer,
    errorsInterceptor({ onInternalError: () => undefined }),
    deadlineInterceptor(),
    auditInterceptor({
      sink,
      repeats: new Repeats({ sink, clock }),
      clock,
      onProblem: (message) => void problems.push(message),
    }),
    credentialsInterceptor({
      async verify(credential) {
        const caller = callers[credential];
        if (!caller) throw new TokenError("not-yet-valid", "m");
        return caller;
      },
      onRefused: (refusal) => void refused.push(refusal),
    }),
    validationInterceptor(),
  ];
  const transport = (credential: string | undefined) => {
    const authorize: Interceptor = (next) => (request) => {
      if (credential !== undefined) request.header.set("authorization", `Bearer ${credential}`);
      return next(request);
    };
    return createRouterTransport(
      (router) => {
        router.service(TokenService, tokens);
        router.service(TranscriptionService, sessions);
      },
      { router: { interceptors }, transport: { interceptors: [authorize] } },
    );
  };
  return {
    tokensAs: (credential?: string) => createClient(TokenService, transport(credential)),
    sessionsAs: (credential?: string) => createClient(TranscriptionService, transport(credential)),
  };
}

const errorOf = async (promise: Promise<unknown>) =>
  ConnectError.from(
    await promise.then(
      () => expect.unreachable("it succeeded"),
      (reason: unknown) => reason,
    ),
  );

describe("a call that is answered", () => {
  test("is told with its caller, its subject and its address", async () => {
    const { tokensAs } = serve({ tokens: { deleteRoom: () => ({}) }, address: "192.0.2.1" });
    await tokensAs("ada").deleteRoom({ roomName: "my room" });
    expect(recorded).toEqual([
      {
        actor: "user:ada",
        action: "room.delete",
        subject: 'room_name="my room"',
        outcome: "ok",
        peerAddress: "192.0.2.1",
      },
    ]);
  });

  test("has an IPv4 address also where the listener takes both kinds, and none without a listener", async () => {
    await serve({ tokens: { deleteRoom: () => ({}) }, address: "::ffff:192.0.2.1" })
      .tokensAs("ada")
      .deleteRoom({ roomName: "r" });
    await serve({ tokens: { deleteRoom: () => ({}) } })
      .tokensAs("ada")
      .deleteRoom({ roomName: "r" });
    expect(recorded.map(({ peerAddress }) => peerAddress)).toEqual(["192.0.2.1", undefined]);
  });

  test("has an event each, when it makes or changes something, and is folded when it reads", async () => {
    const { tokensAs } = serve({ tokens: { createSfuToken: () => ({}), validateToken: () => ({}) } });
    for (let time = 0; time < 3; time++) {
      await tokensAs("service").createSfuToken({ roomName: "r", userId: "ada" });
      await tokensAs("service").validateToken({ token: "t" });
    }
    await clock.advance(60_000);
    expect(recorded.map(({ action, outcome }) => [action, outcome])).toEqual([
      ["token.create", "ok"],
      ["token.validate", "ok"],
      ["token.create", "ok"],
      ["token.create", "ok"],
      ["token.validate", "ok ×2"],
    ]);
  });

  test("is not told when nobody wants to know", async () => {
    const { tokensAs } = serve({ tokens: { listRooms: () => ({}), getStats: () => ({}) } });
    await tokensAs("ada").listRooms({});
    expect(recorded).toEqual([]);
  });

  test("says what the handler noted", async () => {
    const { tokensAs } = serve({
      tokens: {
        refreshToken(_, context) {
          noteForAudit(context, { subject: { token_id: "jti" } });
          noteForAudit(context, { actor: "user:ada", subject: { user_type: "HOST" } });
          return { tokens: { roomName: "talk", participantIdentity: "Ada", jitsiToken: "t" } };
        },
      },
    });
    await tokensAs().refreshToken({ refreshToken: "r" });
    expect(recorded).toMatchObject([
      {
        actor: "user:ada",
        action: "token.refresh",
        subject: "room_name=talk participant_identity=Ada targets=JITSI token_id=jti user_type=HOST",
      },
    ]);
  });
});

describe("a call that fails", () => {
  const failing = (error: unknown) =>
    serve({
      tokens: {
        createRoom() {
          throw error;
        },
        refreshToken() {
          throw error;
        },
      },
    });

  test.each([
    [new ForbiddenError("can_publish: a VIEWER may not"), "permission_denied: can_publish: a VIEWER may not"],
    [new TokenRequestError("not-found", "secret"), "not_found"],
    [new TokenRequestError("limit", "secret"), "resource_exhausted"],
    [new ConnectError("secret", Code.Unavailable), "unavailable"],
    [new Error("secret"), "internal"],
    ["secret", "internal"],
  ])("is told with its code: %s", async (error, outcome) => {
    await errorOf(failing(error).tokensAs("ada").createRoom({ roomName: "talk" }));
    expect(recorded).toEqual([
      { actor: "user:ada", action: "room.create", subject: "room_name=talk", outcome },
    ]);
  });

  test("for a token in the request is told with the reason, which the caller does not learn", async () => {
    const error = await errorOf(
      failing(new TokenError("revoked", "m")).tokensAs().refreshToken({ refreshToken: "r" }),
    );
    expect(error.message).not.toContain("revoked");
    expect(recorded).toEqual([
      { actor: "unknown", action: "token.refresh", subject: "", outcome: "unauthenticated: revoked" },
    ]);
  });

  test("again and again is folded", async () => {
    const { tokensAs } = failing(new ForbiddenError("no"));
    for (let time = 0; time < 5; time++) await errorOf(tokensAs("ada").createRoom({ roomName: "talk" }));
    await clock.advance(60_000);
    expect(recorded.map(({ outcome }) => outcome)).toEqual([
      "permission_denied: no",
      "permission_denied: no ×4",
    ]);
  });

  test("of a caller of the wrong kind or scope is told of any RPC", async () => {
    const { tokensAs } = serve({});
    await errorOf(tokensAs("ada").listApiKeys({}));
    await errorOf(tokensAs("service").getStats({}));
    expect(recorded).toEqual([
      {
        actor: "user:ada",
        action: "api_key.list",
        subject: "",
        outcome: 'permission_denied: this call is for an API key with scope "admin", not for a user token',
      },
      {
        actor: "service:0123456789abcdef",
        action: "stats.get",
        subject: "",
        outcome: 'permission_denied: this call needs an API key with scope "stats"',
      },
    ]);
  });

  test("otherwise is not told of an RPC that only reads", async () => {
    await errorOf(serve({}).tokensAs("ada").getRoom({ roomName: "talk" }));
    expect(recorded).toEqual([]);
  });

  test("for its request is told, with no more of it than fits", async () => {
    await errorOf(
      serve({})
        .tokensAs("ada")
        .deleteRoom({ roomName: "x".repeat(100_000) }),
    );
    expect(recorded).toMatchObject([{ outcome: "invalid_argument" }]);
    expect(recorded[0]!.subject.length).toBeLessThan(2000);
  });

  test("before anybody was let in is the credentials' to tell, with the address as one address counts", async () => {
    const { tokensAs } = serve({ address: "2001:db8:1:2:3:4:5:6" });
    await errorOf(tokensAs().createRoom({ roomName: "talk" }));
    await errorOf(tokensAs("nobody").createRoom({ roomName: "talk" }));
    expect(recorded).toEqual([]);
    const from = { method: "parley.token.v1.TokenService.CreateRoom", peerAddress: "2001:db8:1:2" };
    expect(refused).toEqual([
      { ...from, code: "missing" },
      { ...from, code: "not-yet-valid" },
    ]);
  });
});

test("a call is told as it ended, though its client did not wait for it", async () => {
  const { promise: until, resolve: go } = Promise.withResolvers<undefined>();
  const { tokensAs } = serve({
    tokens: {
      async deleteRoom() {
        await until;
        return {};
      },
    },
  });
  const leaving = new AbortController();
  const answered = errorOf(tokensAs("ada").deleteRoom({ roomName: "talk" }, { signal: leaving.signal }));
  await settle();
  leaving.abort();
  expect((await answered).code).toBe(Code.Canceled);
  expect(recorded).toEqual([]);
  go(undefined);
  await settle();
  expect(recorded).toMatchObject([{ action: "room.delete", outcome: "ok" }]);
});

test("a handler that ends with its call is told as canceled", async () => {
  const { tokensAs } = serve({
    tokens: {
      async deleteRoom(_, { signal }) {
        await new Promise((_resolve, reject) =>
          signal.addEventListener("abort", () => reject(signal.reason as Error)),
        );
        return {};
      },
    },
  });
  const leaving = new AbortController();
  const answered = errorOf(tokensAs("ada").deleteRoom({ roomName: "talk" }, { signal: leaving.signal }));
  await settle();
  leaving.abort();
  await answered;
  await settle();
  expect(recorded).toMatchObject([{ action: "room.delete", outcome: "canceled" }]);
});

describe("the answer of a change", () => {
  const awaited = [...auditedCalls]
    .filter(([, call]) => call.awaited)
    .map(([method]) => method.split(".").at(-1));

  test("waits for the log where the change must not be lost", () => {
    expect(awaited).toEqual([
      "RevokeTokens",
      "DeleteRoom",
      "CreateApiKey",
      "RevokeApiKey",
      "DeleteSession",
      "DeleteInterview",
    ]);
  });

  test("comes when its event is in the database", async () => {
    const { promise: written, resolve: write } = Promise.withResolvers<undefined>();
    let flushedWith = 0;
    flush = async () => {
      flushedWith = recorded.length;
      await written;
    };
    const { tokensAs } = serve({ tokens: { revokeTokens: () => ({ endedStreams: 3 }) } });
    let answer: unknown;
    const revoked = tokensAs("service")
      .revokeTokens({ selector: { case: "userId", value: "eve" } })
      .then((got) => (answer = got));
    await settle();
    expect(answer).toBeUndefined();
    expect(flushedWith).toBe(1);
    write(undefined);
    await revoked;
    expect(answer).toMatchObject({ endedStreams: 3 });
    expect(problems).toEqual([]);
    expect(clock.pending()).toBe(0);
  });

  test.each([
    ["rejects", 0, () => Promise.reject(new Error("away"))],
    ["takes too long", 2_000, () => new Promise<void>(() => undefined)],
  ])("comes all the same when the log %s, and the operator is told", async (_, afterMs, flushing) => {
    flush = flushing;
    const { tokensAs } = serve({ tokens: { createApiKey: () => ({ key: "pk" }) } });
    let isAnswered = false;
    const made = tokensAs("admin")
      .createApiKey({ displayName: "n", scopes: ["stats"] })
      .finally(() => (isAnswered = true));
    await settle();
    if (afterMs > 0) {
      await clock.advance(afterMs - 1);
      expect(isAnswered).toBe(false);
      await clock.advance(1);
    }
    expect(await made).toMatchObject({ key: "pk" });
    expect(problems).toEqual([
      "a call of parley.token.v1.TokenService.CreateApiKey is answered, and its audit event is not written yet",
    ]);
  });

  test("does not wait where tokens are made, nor where the call failed", async () => {
    let flushes = 0;
    flush = async () => void (flushes += 1);
    const { tokensAs } = serve({ tokens: { createSfuToken: () => ({}) } });
    await tokensAs("ada").createSfuToken({ roomName: "r" });
    await errorOf(tokensAs("ada").deleteRoom({ roomName: "r" }));
    expect(recorded).toHaveLength(2);
    expect(flushes).toBe(0);
  });
});

describe("a stream", () => {
  async function read(messages: AsyncIterable<unknown>): Promise<ConnectError | undefined> {
    try {
      for await (const _ of messages);
    } catch (error) {
      return ConnectError.from(error);
    }
    return undefined;
  }
  const nothing = async function* () {};

  test("is told when it begins to answer, and not again, however it ends", async () => {
    const { sessionsAs } = serve({
      sessions: {
        async *transcribe() {
          expect(recorded).toEqual([]);
          yield {};
          await settle();
          expect(recorded).toHaveLength(1);
          throw new ForbiddenError("later");
        },
      },
    });
    expect((await read(sessionsAs("participant").transcribe(nothing())))?.code).toBe(Code.PermissionDenied);
    expect(recorded).toEqual([
      {
        actor: "participant:ada",
        action: "session.transcribe",
        subject: 'room_name=talk participant_identity="Ada L." token_id=jti-1',
        outcome: "ok",
      },
    ]);
  });

  test("that fails before is told with its code", async () => {
    const { sessionsAs } = serve({
      sessions: {
        async *transcribe() {
          throw new ForbiddenError("room_name does not match token");
        },
      },
    });
    await read(sessionsAs("participant").transcribe(nothing()));
    await read(sessionsAs("ada").transcribe(nothing()));
    expect(recorded.map(({ actor, outcome }) => [actor, outcome])).toEqual([
      ["participant:ada", "permission_denied: room_name does not match token"],
      ["user:ada", "permission_denied: this call is for a participant token, not for a user token"],
    ]);
  });

  test("that ends without an answer is told as well", async () => {
    const { sessionsAs } = serve({ sessions: { async *transcribe() {} } });
    await read(sessionsAs("participant").transcribe(nothing()));
    expect(recorded).toMatchObject([{ outcome: "ok" }]);
  });

  test("whose client leaves before the answer is canceled", async () => {
    const { sessionsAs } = serve({
      sessions: {
        async *watchSession(_, { signal }) {
          await new Promise((resolve) => signal.addEventListener("abort", resolve));
        },
      },
    });
    const leaving = new AbortController();
    const selector = { case: "roomName", value: "talk" } as const;
    const ended = read(sessionsAs("ada").watchSession({ selector }, { signal: leaving.signal }));
    await settle();
    leaving.abort();
    await ended;
    await settle();
    expect(recorded).toEqual([
      { actor: "user:ada", action: "session.watch", subject: "room_name=talk", outcome: "canceled" },
    ]);
  });

  test("of a server is told with what was asked", async () => {
    const { sessionsAs } = serve({
      sessions: {
        async *watchSession() {
          yield {};
        },
      },
    });
    await read(sessionsAs("service").watchSession({ selector: { case: "sessionId", value: "s" } }));
    expect(recorded).toMatchObject([{ subject: "session_id=s", outcome: "ok" }]);
  });

  test("comes through as it was sent", async () => {
    const { sessionsAs } = serve({
      sessions: {
        async *transcribe(requests) {
          for await (const _ of requests) yield { sequence: 1 };
        },
      },
    });
    const audio = { message: { case: "audio", value: { data: new Uint8Array(2) } } } as const;
    const answers: number[] = [];
    const sent = (async function* () {
      for (let time = 0; time < 3; time++) yield audio;
    })();
    for await (const { sequence } of sessionsAs("participant").transcribe(sent as never))
      answers.push(sequence);
    expect(answers).toEqual([1, 1, 1]);
  });
});

describe("the table", () => {
  test("has every RPC, and names what was done as noun and verb", () => {
    const methods = [TokenService, TranscriptionService, AnalysisService].flatMap((service) =>
      service.methods.map((method) => `${service.typeName}.${method.name}`),
    );
    expect([...auditedCalls.keys()].toSorted()).toEqual(methods.toSorted());
    for (const { action } of auditedCalls.values())
      expect(action).toMatch(/^[a-z]+(_[a-z]+)*\.[a-z]+(_[a-z]+)*$/);
  });

  const subjectOf = (method: string, request: object, response?: object, caller?: Caller) => {
    const [service, name] = [TokenService, TranscriptionService, AnalysisService]
      .flatMap((each) => each.methods.map((desc) => [desc, desc.name] as const))
      .find(([, name]) => name === method)!;
    const call = auditedCalls.get(`${service.parent.typeName}.${name}`)!;
    const answer = response && create(service.output, response as never);
    return nameSubject(call.subject?.(create(service.input, request as never), answer, caller) ?? {});
  };

  test.each<[string, object, object | undefined, Caller | undefined, string]>([
    [
      "CreateSessionTokens",
      { interviewType: "case", userId: "ada", targets: [Target.LIVEKIT] },
      { roomName: "case-ada-1", participantIdentity: "ada", livekitToken: "t", sfuToken: "t" },
      callers["ada"],
      "room_name=case-ada-1 participant_identity=ada user_id=ada targets=LIVEKIT,SFU",
    ],
    [
      "CreateSessionTokens",
      { roomName: "talk", participantIdentity: "eve", targets: [Target.JITSI, Target.SFU, 99] },
      undefined,
      callers["ada"],
      "room_name=talk participant_identity=eve targets=JITSI,SFU",
    ],
    [
      "CreateLiveKitToken",
      { roomName: "talk", permissions: { roomAdmin: true, canPublish: false, hidden: true } },
      { roomName: "talk", participantIdentity: "ada" },
      callers["ada"],
      "room_name=talk participant_identity=ada targets=LIVEKIT grants=roomAdmin,hidden",
    ],
    [
      "CreateJitsiToken",
      { roomName: "talk", moderator: true },
      {},
      callers["ada"],
      "room_name=talk user_id=ada targets=JITSI moderator=true",
    ],
    [
      "CreateSfuToken",
      { roomName: "talk", userId: "eve", userType: UserType.VIEWER },
      {},
      callers["service"],
      "room_name=talk user_id=eve user_type=VIEWER targets=SFU",
    ],
    [
      "ValidateToken",
      { token: "t", target: Target.JITSI, roomName: "talk" },
      { reason: ValidityReason.NOT_YET_VALID },
      callers["ada"],
      "target=JITSI room_name=talk reason=NOT_YET_VALID",
    ],
    [
      "RevokeTokens",
      { selector: { case: "tokenId", value: "jti" }, reason: "left us" },
      {},
      undefined,
      'token_id=jti reason="left us"',
    ],
    ["RevokeTokens", { selector: { case: "roomName", value: "talk" } }, {}, undefined, "room_name=talk"],
    [
      "CreateRoom",
      { roomName: "talk" },
      { room: { ownerUserId: "ada", access: RoomAccess.INVITED } },
      undefined,
      "room_name=talk owner_user_id=ada access=INVITED",
    ],
    [
      "UpdateRoom",
      { roomName: "talk", access: RoomAccess.OPEN, members: { members: [] }, metadata: "" },
      {},
      undefined,
      "room_name=talk access=OPEN changed=access,members,metadata",
    ],
    [
      "CreateApiKey",
      { displayName: "n", scopes: ["tokens", "stats"] },
      { apiKey: { apiKeyId: "0f" } },
      undefined,
      "api_key_id=0f scopes=tokens,stats",
    ],
    ["RevokeApiKey", { apiKeyId: "0f" }, {}, undefined, "api_key_id=0f"],
    ["ListAuditEvents", { actor: "user:ada" }, {}, undefined, "actor=user:ada"],
    [
      "ExportTranscript",
      { sessionId: "s", format: TranscriptFormat.VTT },
      {},
      undefined,
      "session_id=s format=VTT",
    ],
    ["AnalyzeInterview", { sessionId: "s" }, { interviewId: "i" }, undefined, "interview_id=i session_id=s"],
  ])("%s: %j", (method, request, response, caller, subject) => {
    expect(subjectOf(method, request, response, caller)).toBe(subject);
  });

  test("lets nothing of a request or an answer into a subject but these fields", () => {
    const told = [TokenService, TranscriptionService, AnalysisService].flatMap((service) =>
      service.methods.flatMap((method) => {
        const call = auditedCalls.get(`${service.typeName}.${method.name}`)!;
        const unanswered = call.subject?.(filled(method.input), undefined, undefined) ?? {};
        const answered = call.subject?.(filled(method.input), filled(method.output), undefined) ?? {};
        const found = JSON.stringify([unanswered, answered]).match(/canary\.[\w.]+/g) ?? [];
        return found.map((canary) => canary.replace("canary.", ""));
      }),
    );
    const names = new Set(told.map((field) => field.split(".")[1]!));
    expect([...names].toSorted()).toEqual([
      "actor",
      "api_key_id",
      "interview_id",
      "owner_user_id",
      "participant_identity",
      "reason",
      "room_name",
      "scopes",
      "session_id",
      "token_id",
      "user_id",
    ]);
    expect(new Set(told.filter((field) => field.endsWith(".reason")))).toEqual(
      new Set(["RevokeTokensRequest.reason"]),
    );
  });
});

/** A message in which every text says where it stands. Of a oneof only the first is set. */
function filled(schema: DescMessage, depth = 0): Message {
  const filling = reflect(schema);
  for (const field of schema.fields) {
    const canary = `canary.${field.parent.name}.${field.name}`;
    const value = valueOf(field, canary, depth);
    if (value === undefined || (field.oneof && field !== field.oneof.fields[0])) continue;
    if (field.fieldKind === "list") filling.get(field).add(value);
    else if (field.fieldKind === "map") filling.get(field).set(canary, value);
    else filling.set(field, value);
  }
  return filling.message;
}

function valueOf(field: DescField, canary: string, depth: number) {
  if (field.message) return depth < 3 ? reflect(field.message, filled(field.message, depth + 1)) : undefined;
  if (field.enum) return 1;
  if (field.scalar === ScalarType.STRING) return canary;
  return field.scalar === ScalarType.BOOL ? true : undefined;
}
