/**
 * How tokens travel, and what the wire does to them: class 33, two credentials in one call or one in a URL; class 17 where it
 * is too much for the transport itself; and WebSockets, into which nothing of a handshake lets anybody.
 */
import { once } from "node:events";
import { connect as connectTcp } from "node:net";
import { text } from "node:stream/consumers";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { RoomAccess } from "../../gen/ts/parley/token/v1/room_pb.ts";
import { TokenService } from "../../gen/ts/parley/token/v1/token_pb.ts";
import {
  AudioEncoding,
  TranscriptionService,
} from "../../gen/ts/parley/transcription/v1/transcription_pb.ts";
import type { TranscribeRequestSchema } from "../../gen/ts/parley/transcription/v1/transcription_pb.ts";
import { transportTo } from "../e2e/speech-client.ts";
import { frame, greeting } from "../gateway/listener/raw-frames.ts";
import { canary, linesWithCanary } from "./canary.ts";
import { write } from "./compact-token.ts";
import { goodToken, room } from "./good-tokens.ts";
import { openPlaces } from "./places.ts";
import { openWorld } from "./world.ts";

const world = await openWorld();
const { server } = world;
const port = Number(new URL(server.url).port);
const admin = createClient(TokenService, transportTo(server.url, server.apiKey));
const login = () => write(goodToken(world, "a login of the shared secret"));
const participant = () => write(goodToken(world, "a transcription token of the shared secret"));
const places = openPlaces({ url: server.url, participantToken: participant });

beforeAll(async () => {
  await admin.createRoom({ roomName: room, ownerUserId: "ada", access: RoomAccess.OPEN });
});
afterAll(async () => {
  places.close();
  await world.close();
});

interface RawCall {
  readonly path: string;
  readonly contentType: string;
  readonly body: Buffer;
  /** What tells that somebody was let in. */
  readonly letIn: RegExp;
  /** What tells that nobody was. */
  readonly refused: RegExp;
}

const json = { contentType: "application/json", refused: /unauthenticated/ };
const emptyMessage = Buffer.alloc(5);
const rawCalls: readonly (RawCall & { readonly name: string })[] = [
  {
    name: "a Connect call",
    path: "/parley.token.v1.TokenService/ListRooms",
    ...json,
    letIn: /"rooms"/,
    body: Buffer.from("{}"),
  },
  {
    name: "an old path",
    path: "/api/transcription/token",
    ...json,
    letIn: /"token":"ey/,
    body: Buffer.from(JSON.stringify({ roomName: room })),
  },
  {
    name: "a gRPC-web call",
    path: "/parley.token.v1.TokenService/ListRooms",
    contentType: "application/grpc-web+proto",
    body: emptyMessage,
    letIn: /grpc-status: ?0/,
    refused: /grpc-status: ?16/,
  },
];

/** Line by line: no client library sends a field twice. */
async function overHttp1({ path, contentType, body }: RawCall, fields: readonly string[]): Promise<string> {
  const socket = connectTcp(port, "127.0.0.1");
  const head = [
    `POST ${path} HTTP/1.1`,
    "host: localhost",
    "connection: close",
    `content-type: ${contentType}`,
    `content-length: ${body.length}`,
    ...fields,
  ];
  socket.write(Buffer.concat([Buffer.from(`${head.join("\r\n")}\r\n\r\n`), body]));
  return text(socket);
}

/** In frames made by hand. */
async function overHttp2(
  { path, contentType, body, letIn, refused }: RawCall,
  fields: readonly string[],
): Promise<string> {
  const socket = connectTcp(port, "127.0.0.1");
  const head: [string, string][] = [
    [":method", "POST"],
    [":scheme", "http"],
    [":path", path],
    [":authority", "localhost"],
    ["content-type", contentType],
    ...fields.map((field): [string, string] => {
      const at = field.indexOf(": ");
      return [field.slice(0, at), field.slice(at + 2)];
    }),
  ];
  const block = Buffer.concat(head.map(([name, value]) => literal(name, value)));
  const [endHeaders, endStream] = [4, 1];
  socket.write(Buffer.concat([greeting, frame(1, endHeaders, 1, block), frame(0, endStream, 1, body)]));
  let received = "";
  for await (const bytes of socket) {
    received += (bytes as Buffer).toString("latin1");
    if (letIn.test(received) || refused.test(received)) break; // the connection would stay open
  }
  socket.destroy();
  return received;
}

/** A literal header field without indexing, HPACK of RFC 7541, section 6.2.2, of whatever length. */
function literal(name: string, value: string): Buffer {
  return Buffer.concat([
    Buffer.of(0),
    lengthOf(name),
    Buffer.from(name),
    lengthOf(value),
    Buffer.from(value),
  ]);
}

/** An integer with a prefix of seven bits: section 5.1. */
function lengthOf(value: string): Buffer {
  const longest = 127;
  if (value.length < longest) return Buffer.of(value.length);
  const bytes = [longest];
  let rest = value.length - longest;
  for (; rest >= 128; rest >>= 7) bytes.push((rest & 127) | 128);
  return Buffer.from([...bytes, rest]);
}

const wires = [
  { wire: "HTTP/1.1", send: overHttp1 },
  { wire: "HTTP/2", send: overHttp2 },
] as const;

describe.each(rawCalls)("class 33: $name", (call) => {
  const bearer = (token: string) => `authorization: Bearer ${token}`;

  // In HTTP/2 the trailers of gRPC-web are body too, but headers may be compressed: JSON is told by its body.
  const usable = wires.filter(({ wire }) => wire === "HTTP/1.1" || call.contentType === "application/json");

  test.each(usable)("over $wire lets in one good credential in its one header", async ({ send }) => {
    expect(await send(call, [bearer(login())])).toMatch(call.letIn);
  });

  test.each(usable)("over $wire refuses two, also the same twice, in whatever order", async ({ send }) => {
    const good = login();
    for (const fields of [
      [bearer(good), bearer(good)],
      [bearer(good), bearer("x")],
      [bearer("x"), bearer(good)],
      [bearer(good), "authorization: "],
      [bearer(good), "authorization: Basic dXNlcjpwYXNz"],
      [`authorization: Bearer ${good}, Bearer ${good}`],
    ]) {
      const answer = await send(call, fields);
      expect(answer, fields.join()).toMatch(call.refused);
      expect(linesWithCanary([answer])).toEqual([]);
    }
  });

  test.each(usable)(
    "over $wire takes no notice of one in the URL, in a cookie or in another header",
    async ({ send }) => {
      const good = login();
      for (const name of ["token", "access_token", "authorization", "jwt", "api_key"]) {
        const answer = await send({ ...call, path: `${call.path}?${name}=${good}` }, []);
        expect(answer, name).toMatch(call.refused);
        expect(linesWithCanary([answer])).toEqual([]);
      }
      const elsewhere = [
        `cookie: authorization=Bearer ${good}; token=${good}`,
        `x-api-key: ${good}`,
        `x-authorization: Bearer ${good}`,
        `proxy-authorization: Bearer ${good}`,
        `sec-websocket-protocol: bearer, ${good}`,
      ];
      expect(await send(call, elsewhere)).toMatch(call.refused);
    },
  );
});

test("class 33: a Connect GET with a good credential in the URL and none in the header lets nobody in", async () => {
  const { pathname } = new URL("/parley.token.v1.TokenService/ListRooms", server.url);
  const query = new URLSearchParams({
    encoding: "json",
    message: "{}",
    connect: "v1",
    authorization: `Bearer ${login()}`,
  });
  const response = await fetch(`${server.url}${pathname}?${query.toString()}`);
  expect([401, 405]).toContain(response.status);
});

describe("class 17: more than the transport takes", () => {
  /** A refusal by a limit of the transport comes before anybody looks at a credential, so it may read otherwise. */
  const byTransport = [
    "unauthenticated",
    "resource_exhausted",
    "internal",
    "unavailable",
    "HTTP 431",
    "invalid_argument", // metadata in a message of a WebSocket, and a path, have limits of their own
    "close 1009",
    "ECONNRESET",
    "EPIPE",
  ];
  const dots = (count: number) => `${canary}${".".repeat(count)}`;

  test.each([16_000, 64_000, 1_000_000])(
    "%d dots in a header or a URL let nobody in, and the server goes on",
    async (count) => {
      for (const place of places.groups.flatMap((group) => group.places)) {
        if (place.travelsIn === "field") continue;
        const code = await place.offer(dots(count)).then(
          (outcome) => outcome.code,
          (error: unknown) => (error as NodeJS.ErrnoException).code ?? "",
        );
        expect(byTransport, place.name).toContain(code);
      }
      expect((await fetch(`${server.url}/health/ready`)).status).toBe(200);
    },
  );

  /** Each over a connection of its own: one that goes on sending after it was refused is ended as a whole. */
  const tokenService = () => createClient(TokenService, transportTo(server.url, server.apiKey));
  const fields = [
    ["ValidateToken", (token: string) => tokenService().validateToken({ token })],
    ["RefreshToken", (refreshToken: string) => tokenService().refreshToken({ refreshToken })],
    [
      "reauthenticate",
      async (token: string) => {
        const client = createClient(TranscriptionService, transportTo(server.url, participant()));
        for await (const _ of client.transcribe(reauthenticating(token)));
      },
    ],
  ] as const;

  async function* reauthenticating(
    token: string,
  ): AsyncGenerator<MessageInitShape<typeof TranscribeRequestSchema>> {
    const value = { encoding: AudioEncoding.LINEAR16, sampleRateHz: 16_000 };
    yield { message: { case: "config", value } };
    const action = { case: "reauthenticate", value: { token } } as const;
    yield { message: { case: "control", value: { action } } };
    await new Promise(() => undefined); // a half-close would end the session well
  }

  test.each(fields)(
    "%s refuses 8193 bytes by its rule, and more by the size of the message",
    async (_, offer) => {
      const answerTo = async (token: string) => {
        const startedAt = performance.now();
        const { code, rawMessage } = ConnectError.from(
          await offer(token).then(
            () => new Error("let in"),
            (error: unknown) => error,
          ),
        );
        expect(performance.now() - startedAt).toBeLessThan(10_000);
        expect(linesWithCanary([rawMessage])).toEqual([]);
        return { code, rawMessage };
      };
      const tooLong = { rawMessage: expect.stringMatching(/token: must be at most 8192 bytes$/) as string };
      expect(await answerTo(dots(8_193 - canary.length))).toMatchObject({
        ...tooLong,
        code: Code.InvalidArgument,
      });
      expect([Code.InvalidArgument, Code.ResourceExhausted]).toContain(
        (await answerTo(dots(1_500_000))).code,
      );
      // Whoever is still sending megabytes when the answer is there may see the connection end in its place.
      const { code, rawMessage } = await answerTo(dots(20_000_000));
      if (code === Code.Internal) expect(rawMessage).toMatch(/^Stream closed with error code NGHTTP2_/);
      else expect([Code.InvalidArgument, Code.ResourceExhausted, Code.Unavailable]).toContain(code);
    },
  );

  test("ten tokens of 20 million dots leave nothing behind in memory", async () => {
    const token = dots(20_000_000);
    const before = process.memoryUsage().rss;
    for (let round = 0; round < 2; round++) {
      const calls = Array.from({ length: 5 }, () => tokenService().validateToken({ token }));
      for (const call of await Promise.allSettled(calls)) expect(call.status).toBe("rejected");
    }
    // What a client needs to send five of them at once is this process's too.
    expect(process.memoryUsage().rss - before).toBeLessThan(800 * 1024 ** 2);
    expect((await fetch(`${server.url}/health/ready`)).status).toBe(200);
  });
});

describe("a WebSocket handshake", () => {
  const url = () => server.url.replace("http", "ws");
  const rpcs = [
    "/parley.transcription.v1.TranscriptionService/Transcribe",
    "/parley.token.v1.TokenService/ListRooms",
  ];

  /** `grpc-status` of a call whose metadata hold no credential. */
  async function statusOfCall(path: string, headers: Record<string, string>): Promise<string | undefined> {
    const socket = new WebSocket(`${url()}${path}`, ["grpc-websockets"], { headers });
    await once(socket, "open");
    socket.send(Buffer.from("content-type: application/grpc-web+proto\r\nx-grpc-web: 1\r\n"));
    socket.send(Buffer.concat([Buffer.of(0), emptyMessage]));
    socket.send(Buffer.of(1));
    let answer = "";
    socket.on("message", (data: Buffer) => (answer += data.toString("latin1")));
    await once(socket, "close");
    return /grpc-status: ?(\d+)/.exec(answer)?.[1];
  }

  /** The status that it was answered with; 101 would be a WebSocket. */
  function statusOf(
    path: string,
    options: { readonly protocols?: string[]; readonly headers?: Record<string, string> },
  ): Promise<number> {
    return new Promise((resolve, reject) => {
      const socket = new WebSocket(`${url()}${path}`, options.protocols ?? [], {
        headers: options.headers ?? {},
      });
      socket.on("open", () => {
        socket.close();
        resolve(101);
      });
      socket.on("unexpected-response", (_request, response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      });
      socket.on("error", reject);
    });
  }

  test.each(rpcs)(
    "at %s with a good token lets nobody in: in the query, in the header, in the subprotocol",
    async (path) => {
      const token = participant();
      const headers = { authorization: `Bearer ${token}` };
      expect([
        await statusOf(`${path}?token=${token}`, {}),
        await statusOf(`${path}?access_token=${token}`, { headers }),
        await statusOf(path, { headers }),
        await statusOf(path, { protocols: ["bearer", token] }),
      ]).toEqual([400, 400, 400, 400]);
      for (const query of ["", `?token=${token}`, `?authorization=Bearer%20${token}`]) {
        expect(await statusOfCall(`${path}${query}`, headers)).toBe(String(Code.Unauthenticated));
      }
      expect(server.engine.openStreams).toBe(0);
    },
  );

  test("at a path that serves none is 404", async () => {
    expect(await statusOf("/ws", {})).toBe(404);
    expect(await statusOf("/token/validate", {})).toBe(404);
  });

  test("from a page of another origin is refused, and from this server's own page is not", async () => {
    const from = (origin: string) =>
      statusOf(rpcs[0]!, { protocols: ["grpc-websockets"], headers: { origin } });
    expect(await from("https://evil.example")).toBe(403);
    expect(await from("null")).toBe(403);
    expect(await from(server.url)).toBe(101);
  });
});

test("nothing of a token was logged, wherever it stood", () => {
  expect(linesWithCanary([login(), participant()])).toHaveLength(2);
  expect(server.logged.length).toBeGreaterThan(50);
  expect(linesWithCanary(server.logged)).toEqual([]);
});
