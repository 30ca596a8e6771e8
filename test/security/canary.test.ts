/**
 * Nothing that is said, asked or shown as a credential is written anywhere: a phrase and tokens that hold a canary go through
 * every RPC, by every kind of caller, and through every kind of failure. The server is a process of its own with the finest
 * log, its secrets hold the canary too, and all that it writes is looked at.
 */
import { once } from "node:events";
import { ScalarType, create } from "@bufbuild/protobuf";
import type { DescField, DescMessage, DescMethod, DescService, Message } from "@bufbuild/protobuf";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import type { Transport } from "@connectrpc/connect";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { AnalysisService } from "../../gen/ts/parley/analysis/v1/analysis_pb.ts";
import { RoomAccess } from "../../gen/ts/parley/token/v1/room_pb.ts";
import { TokenService } from "../../gen/ts/parley/token/v1/token_pb.ts";
import { TranscriptionService } from "../../gen/ts/parley/transcription/v1/transcription_pb.ts";
import { openOldClient } from "../e2e/old-client.ts";
import { audio, config, openRawStream } from "../e2e/raw-stream.ts";
import { startServerProcess } from "../e2e/server-process.ts";
import type { ServerProcess } from "../e2e/server-process.ts";
import { transportTo } from "../e2e/speech-client.ts";
import { markedAudio } from "../fakes/marker-engine.ts";
import { startFakeDeepgram } from "../fakes/fake-deepgram.ts";
import type { FakeDeepgram } from "../fakes/fake-deepgram.ts";
import { describePostgres } from "../storage/databases.ts";
import { canary, linesWithCanary } from "./canary.ts";
import { hmac, write } from "./compact-token.ts";
import { socketPaths } from "./places.ts";
import { jwtAudience, jwtIssuer, serverEnvironment } from "./world.ts";

const phrase = `my secret is ${canary}`;
const secretOf = (name: string) => `${canary}-the-secret-of-${name}-in-32-bytes`;
const secrets = {
  jwt: secretOf("the-server"),
  previousJwt: secretOf("the-past"),
  livekit: secretOf("livekit"),
  jitsi: secretOf("jitsi"),
  sfu: secretOf("the-sfu"),
};

const services: readonly DescService[] = [TokenService, TranscriptionService, AnalysisService];
const methods = services.flatMap((service) => service.methods);

function signed(claims: object, secret = secrets.jwt): string {
  const now = Math.floor(Date.now() / 1000);
  return write({
    header: { alg: "HS256", typ: "JWT" },
    claims: { canary, iss: jwtIssuer, iat: now, exp: now + 3600, jti: "token", ...claims },
    sign: hmac(secret),
  });
}

const login = (secret?: string) => signed({ sub: "ada", aud: "parley", name: phrase }, secret);
const participant = () =>
  signed({ userId: "ada", roomName: "talk", participantIdentity: "ada", userType: "HOST", aud: jwtAudience });

/** Who calls; the last three are turned away, each for another reason. */
const credentials: Readonly<Record<string, (server: ServerProcess) => string>> = {
  "an API key": ({ apiKey }) => apiKey,
  "a login": () => login(),
  "a participant's token": participant,
  "a forged login": () => login(secretOf("an-attacker")),
  "an expired login": () => signed({ sub: "ada", aud: "parley", exp: 1_700_000_000 }),
  "a part of an API key": ({ apiKey }) => `${apiKey.slice(0, 20)}${canary}`,
};

/** A message whose every text is `text`, which keeps few of the rules. */
function filled(schema: DescMessage, text: string, depth = 0): Message {
  const init: Record<string, unknown> = {};
  const oneofs = new Set<string>();
  for (const field of schema.fields) {
    if (field.oneof && !field.proto.proto3Optional) {
      if (oneofs.has(field.oneof.localName)) continue;
      oneofs.add(field.oneof.localName);
      init[field.oneof.localName] = { case: field.localName, value: valueOf(field, text, depth) };
    } else init[field.localName] = valueOf(field, text, depth);
  }
  return create(schema, init);
}

function valueOf(field: DescField, text: string, depth: number): unknown {
  switch (field.fieldKind) {
    case "list":
      return [itemOf(field, text, depth)];
    case "map":
      return { [text]: itemOf(field, text, depth) };
    default:
      return itemOf(field, text, depth);
  }
}

function itemOf({ scalar, enum: desc, message }: DescField, text: string, depth: number): unknown {
  if (desc) return desc.values.at(-1)?.number;
  if (message?.typeName === "google.protobuf.Struct") return { [text]: text };
  if (message) return depth > 3 ? undefined : filled(message, text, depth + 1);
  switch (scalar) {
    case ScalarType.STRING:
      return text;
    case ScalarType.BYTES:
      return Buffer.from(text);
    case ScalarType.BOOL:
      return true;
    case ScalarType.INT64:
    case ScalarType.UINT64:
      return 100n;
    default:
      return 100;
  }
}

/** The code of the answer; what is told must not repeat what was sent. */
async function call(transport: Transport, method: DescMethod, message: Message): Promise<string> {
  const client = createClient(method.parent, transport) as unknown as Record<
    string,
    (request: unknown, options: object) => unknown
  >;
  const requests = (async function* () {
    yield await Promise.resolve(message);
  })();
  const options = { timeoutMs: 1_000 };
  try {
    if (method.methodKind === "unary")
      await (client[method.localName]!(message, options) as Promise<unknown>);
    else {
      const sent = method.methodKind === "server_streaming" ? message : requests;
      for await (const _ of client[method.localName]!(sent, options) as AsyncIterable<unknown>);
    }
    return "ok";
  } catch (error) {
    const { code, rawMessage } = ConnectError.from(error);
    expect(linesWithCanary([rawMessage]), `${method.name}: ${rawMessage}`).toEqual([]);
    return Code[code];
  }
}

function environment(deepgram: FakeDeepgram): Readonly<Record<string, string>> {
  return {
    ...serverEnvironment(secrets),
    LOG_LEVEL: "trace",
    SPEECH_ENGINE: "deepgram",
    DEEPGRAM_URL: deepgram.url,
    DEEPGRAM_API_KEY: deepgram.apiKey,
    TRANSCRIPTION_SERVICE_API_KEY: secretOf("an-old-app"),
    // An issuer that is not there.
    OIDC_ISSUERS: "http://127.0.0.1:9/issuer",
    OIDC_AUDIENCE: "api",
  };
}

function expectNoCanary(server: ServerProcess): void {
  const lines = server.output().split("\n");
  expect(lines.length).toBeGreaterThan(5);
  expect(linesWithCanary(lines)).toEqual([]);
}

describe("a canary", () => {
  let deepgram: FakeDeepgram;
  let server: ServerProcess;
  beforeAll(async () => {
    deepgram = await startFakeDeepgram({ apiKey: `${canary}-deepgram` });
    server = await startServerProcess({ env: environment(deepgram) });
  });
  afterAll(async () => {
    await server.stop();
    expectNoCanary(server); // nor in its last words
    await deepgram.close();
  });
  const admin = () => createClient(TokenService, transportTo(server.url, server.apiKey));

  test.each(Object.keys(credentials))(
    "in every field of every RPC, called with %s, is nowhere in the log",
    async (name) => {
      const codes = new Set<string>();
      const transport = transportTo(server.url, credentials[name]!(server));
      for (const method of methods) {
        for (const text of [phrase, phrase.repeat(500), participant()])
          codes.add(await call(transport, method, filled(method.input, text)));
      }
      expect(server.output().split("\n").length).toBeGreaterThan(100);
      expect(codes).not.toContain("Internal");
      expect(codes).not.toContain("Unknown");
      expect(codes.size).toBeGreaterThan(1);
      expectNoCanary(server);
    },
  );

  test("in what is done well, from the room's metadata to the analysis of an answer, is nowhere in the log", async () => {
    const { key } = await admin().createApiKey({ displayName: phrase, scopes: ["tokens"] });
    await admin().createRoom({
      roomName: "talk",
      ownerUserId: "ada",
      access: RoomAccess.OPEN,
      metadata: phrase,
    });
    const made = await createClient(TokenService, transportTo(server.url, key)).createSessionTokens({
      roomName: "talk",
      participantIdentity: "ada",
      participantName: phrase,
    });
    const renewed = await admin().refreshToken({ refreshToken: made.refreshToken });
    await admin()
      .refreshToken({ refreshToken: made.refreshToken })
      .catch(() => undefined); // revokes the family
    const analysis = createClient(AnalysisService, transportTo(server.url, server.apiKey));
    const { interviewId } = await analysis.analyzeInterview({
      userId: "ada",
      candidateAnswer: phrase,
      caseQuestion: phrase,
    });
    await expect
      .poll(async () => (await analysis.getInterview({ interviewId })).interview?.report)
      .toBeDefined();
    expectNoCanary(server);
    const written = server.output();
    for (const secret of [
      key.split("_")[2]!,
      made.refreshToken,
      made.livekitToken,
      renewed.tokens!.transcriptionToken,
    ])
      expect(written).not.toContain(secret);
  });

  test("that is spoken is heard, and is nowhere in the log", async () => {
    const stream = openRawStream(server.url, participant());
    stream.send(config);
    await stream.next("sessionStarted");
    stream.send(audio(0, markedAudio([777, 778])));
    stream.close();
    const { transcript } = await stream.next("sessionSummary");
    expect(transcript).toMatch(/w777\b.*w778\b/i); // as the fake Deepgram says what it hears
    expect(server.output()).not.toMatch(/\bw77[78]\b/i);
    expectNoCanary(server);
  });

  test("over WebSockets, from the token in the URL to what is spoken and watched, is nowhere in the log", async () => {
    const open = (path: string, token: string) =>
      openOldClient(server.url, `${path}?token=${encodeURIComponent(token)}`);
    const watched = signed({ user_id: "eve", room: "talk", user_type: "guest" }, secrets.sfu);
    const forged = signed({ user_id: "eve", room: "talk" }, secretOf("an-attacker"));
    for (const path of Object.values(socketPaths))
      for (const token of [phrase, login(secretOf("an-attacker")), forged])
        await expect(open(path, token)).rejects.toThrow("HTTP 401");
    await expect(open("/", login())).rejects.toThrow("HTTP 403");
    await expect(open(`/${canary}`, participant())).rejects.toThrow("HTTP 404");
    await expect(open(`/\\[${canary}`, participant())).rejects.toThrow("HTTP 400");

    for (const message of [
      canary,
      { action: canary },
      { action: "start", roomName: canary },
      Buffer.from(canary),
    ]) {
      const client = await open("/", participant());
      if (Buffer.isBuffer(message)) client.socket.send(message);
      else client.say(message);
      const { message: told } = await client.next("error");
      const { reason } = await client.closed;
      expect(linesWithCanary([String(told), reason])).toEqual([]);
    }

    const room = await open(socketPaths.room, watched);
    room.say(canary);
    const speaker = await open(socketPaths.session, participant());
    speaker.say({ action: "start", roomName: "talk", participantIdentity: "ada", caseQuestion: phrase });
    speaker.speak(markedAudio([781, 782]));
    speaker.say({ action: "complete" });
    const final = await room.next("transcript", ({ isFinal }) => isFinal === true);
    expect(final["text"]).toMatch(/w781\b/i);
    await speaker.closed;
    room.socket.terminate();

    for (const [path, messages] of [
      [`/${canary}`, [`authorization: Bearer ${participant()}\r\n`]],
      [`/parley.token.v1.TokenService/ListRooms?token=${login()}`, [`authorization: Bearer ${canary}\r\n`]],
      ["/parley.token.v1.TokenService/ListRooms", [canary]],
      ["/parley.token.v1.TokenService/ListRooms", [`authorization: Bearer ${login()}\r\n`, canary]],
    ] as const) {
      const socket = new WebSocket(`${server.url}${path}`, ["grpc-websockets"]);
      await once(socket, "open");
      for (const message of messages) socket.send(Buffer.from(message));
      await once(socket, "close");
    }
    expect(server.output()).not.toMatch(/\bw78[12]\b/i);
    expectNoCanary(server);
  });

  test("in what is no call at all: malformed bodies, paths, queries and headers, is nowhere in the log", async () => {
    const listRooms = "/parley.token.v1.TokenService/ListRooms";
    const type = { "content-type": "application/json" };
    const bearer = { authorization: `Bearer ${login()}` };
    const sent: readonly (readonly [path: string, init: RequestInit])[] = [
      [listRooms, { method: "POST", headers: { ...type, ...bearer }, body: `{"${canary}": ${canary}` }],
      [
        listRooms,
        { method: "POST", headers: { "content-type": "application/proto", ...bearer }, body: canary },
      ],
      [listRooms, { method: "POST", headers: { "content-type": "text/plain", ...bearer }, body: canary }],
      [listRooms, { method: "PUT", headers: { ...type, ...bearer }, body: canary }],
      [listRooms, { method: "POST", headers: { ...type, authorization: canary }, body: "{}" }],
      [`${listRooms}?token=${login()}`, { method: "POST", headers: type, body: "{}" }],
      [
        `/token/validate?token=${login()}`,
        { method: "POST", headers: { ...type, ...bearer }, body: `{"token":["${canary}"]}` },
      ],
      [
        "/token/room",
        {
          method: "POST",
          headers: { ...type, ...bearer },
          body: `{"room_name":"${canary}","permissions":{"${canary}":true}}`,
        },
      ],
      [`/user_modules/user/${canary}`, { headers: bearer }],
      [`/${canary}?${canary}`, { headers: bearer }],
      [`/%zz${canary}`, { headers: { cookie: canary, referer: `http://127.0.0.1/?jwt=${login()}` } }],
    ];
    for (const [path, init] of sent) {
      const answer = await fetch(`${server.url}${path}`, init);
      expect(answer.status, path.slice(0, 40)).toBeGreaterThanOrEqual(400);
      expect(linesWithCanary([await answer.text()]), path.slice(0, 40)).toEqual([]);
    }
    expectNoCanary(server);
  });

  test("in a login of an issuer that does not answer is nowhere in the log", async () => {
    const token = write({
      header: { alg: "ES256", kid: canary },
      claims: { canary, iss: "http://127.0.0.1:9/issuer", sub: phrase },
      sign: () => Buffer.alloc(64),
    });
    expect(
      await call(
        transportTo(server.url, token),
        TokenService.method.listRooms,
        filled(TokenService.method.listRooms.input, ""),
      ),
    ).toBe("Unavailable");
    expectNoCanary(server);
  });
});

describePostgres("a canary that the database refuses to store", (url) => {
  test("is nowhere in the log, nor in the internal error that the caller gets", async () => {
    const deepgram = await startFakeDeepgram({ apiKey: `${canary}-deepgram` });
    const server = await startServerProcess({ env: { ...environment(deepgram), DATABASE_URL: url() } });
    const client = new pg.Client({ connectionString: url() });
    await client.connect();
    try {
      // PostgreSQL tells the whole row in the details of such an error.
      for (const table of ["rooms", "interviews", "sessions", "api_keys"])
        await client.query(`alter table ${table} add constraint none check (false) not valid`);
      const said = new Set<string>();
      for (const [method, message] of [
        [TokenService.method.createRoom, { roomName: "talk", ownerUserId: "ada", metadata: phrase }],
        [TokenService.method.createApiKey, { displayName: phrase, scopes: ["tokens"] }],
        [AnalysisService.method.analyzeInterview, { userId: "ada", candidateAnswer: phrase }],
      ] as const)
        said.add(
          await call(
            transportTo(server.url, server.apiKey),
            method,
            create(method.input as DescMessage, message),
          ),
        );
      expect([...said]).toEqual(["Internal"]);
      expect(server.output()).toContain("internal error");
      expectNoCanary(server);
    } finally {
      await client.end();
      await server.stop();
      await deepgram.close();
    }
  });
});
