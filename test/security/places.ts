/**
 * Every place where a token can be offered to the server, over real sockets: what it answers, and all that came back. Clients
 * are bare ones (`node:http`, `@grpc/grpc-js`, `ws`), so that nothing stands between a token and the wire.
 */
import { once } from "node:events";
import { Agent, request as httpRequest } from "node:http";
import type { IncomingHttpHeaders } from "node:http";
import { text } from "node:stream/consumers";
import { create, toBinary } from "@bufbuild/protobuf";
import type { DescMethod, MessageInitShape } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import * as grpc from "@grpc/grpc-js";
import { WebSocket } from "ws";
import { TokenService } from "../../gen/ts/parley/token/v1/token_pb.ts";
import {
  AudioEncoding,
  TranscribeRequestSchema,
  TranscriptionService,
} from "../../gen/ts/parley/transcription/v1/transcription_pb.ts";
import { room } from "./good-tokens.ts";
import type { TokenKind } from "./good-tokens.ts";

export interface Outcome {
  /** "ok", or the code as Connect writes it: "unauthenticated". */
  readonly code: string;
  readonly message: string;
  /** All that came back, headers and trailers among it. */
  readonly received: string;
}

export interface Place {
  readonly name: string;
  /** Where the token travels: as the credential of a call, in the query of a WebSocket's URL, or in a field of a request. */
  readonly travelsIn: "header" | "query" | "field";
  /** Whose tokens are let in. */
  readonly kinds: readonly CredentialKind[];
  /** Whose tokens are good, and not for this. */
  readonly wrongKinds: readonly CredentialKind[];
  /** The answer to every bad token, whatever is wrong with it, but to those that are too long for a field. */
  readonly refusal: string;
  /** The answer to those. */
  readonly tooLong?: string;
  /** Codes of the answers to who was let in. Default: "ok". */
  readonly welcome?: readonly string[];
  /** Whether the text can get there as it stands. */
  carries(token: string): boolean;
  /** Undefined: nothing is sent. `userId` is whose data is asked for, where the place asks for it. */
  offer(token: string | undefined, userId?: string): Promise<Outcome>;
}

export type CredentialKind = TokenKind | "service";

export interface PlaceOptions {
  readonly url: string;
  /** A participant's, by which streams are opened for a fresh one to be sent. */
  readonly participantToken: () => string;
}

/** Places of the same make. Each token is offered at one of them. */
export interface PlaceGroup {
  readonly name: string;
  readonly places: readonly Place[];
}

export interface Places {
  readonly groups: readonly PlaceGroup[];
  close(): void;
}

/** What the credential of a call must look like to be one at all. */
export const bearerPattern = /^[\x21-\x2b\x2d-\x7e]+$/;

/** Where old clients open a WebSocket with a transcription token, and watchers of a room with one of the SFU. */
export const socketPaths = { session: "/", room: "/aq_server/websocket" } as const;

export const badInQuery = "missing or bad token; send it as ?token=";
const missingOrBad = "missing or bad credential; send `authorization: Bearer <token or API key>`";
/** As the messages of requests that hold a token say. */
export const maxFieldBytes = 8192;
/** Of HTTP/1.1 and of HTTP/2, in all: see the gateway's limits. What is longer is refused by them. */
const maxHeaderBytes = 15_000;
/** Of a request's target. */
const maxTargetBytes = 8_100;

export function openPlaces({ url, participantToken }: PlaceOptions): Places {
  const agent = new Agent({ keepAlive: true, maxSockets: 4 });
  const channel = new grpc.Client(new URL(url).host, grpc.credentials.createInsecure());
  const listRooms = pathOf(TokenService.method.listRooms);
  const inHeader = (...kinds: CredentialKind[]) =>
    ({
      travelsIn: "header",
      kinds,
      wrongKinds: anybody.filter((kind) => !kinds.includes(kind)),
      refusal: missingOrBad,
      carries: fitsHeader,
    }) as const;
  const http = (request: HttpRequest, token: string | undefined) =>
    sendHttp(agent, new URL(request.path, url), request, token);
  const single: Place[] = [
    {
      name: "gRPC metadata of a user's RPC",
      ...inHeader(...users, "service"),
      offer: (token) => callGrpc(channel, listRooms, token),
    },
    {
      name: "gRPC metadata of Transcribe",
      ...inHeader("participant"),
      async offer(token) {
        const stream = openTranscribe(channel, token);
        return (await stream.started) ? stream.close() : stream.ended;
      },
    },
    {
      name: "Connect header over HTTP/1.1",
      ...inHeader(...users, "service"),
      offer: (token) => http({ path: listRooms, body: "{}" }, token),
    },
    {
      name: "gRPC-web header",
      ...inHeader(...users, "service"),
      offer: (token) =>
        http({ path: listRooms, body: emptyFrame, contentType: "application/grpc-web+proto" }, token),
    },
    {
      name: "metadata of a call over a WebSocket",
      ...inHeader(...users, "service"),
      offer: (token) => callOverSocket(new URL(listRooms, url), token),
    },
    {
      name: "the URL of the old WebSocket",
      travelsIn: "query",
      kinds: ["participant"],
      wrongKinds: ["login"],
      refusal: badInQuery,
      carries: fitsQuery,
      offer: (token) => openOldSocket(new URL(socketPaths.session, url), token),
    },
    {
      name: "reauthenticate in the middle of Transcribe",
      travelsIn: "field",
      kinds: ["participant"],
      wrongKinds: ["login"],
      refusal: "reauthenticate.token is not good",
      tooLong: "control.reauthenticate.token: must be at most 8192 bytes",
      carries: fitsField,
      async offer(token = "") {
        const stream = openTranscribe(channel, participantToken());
        await stream.started;
        stream.control({ case: "reauthenticate", value: { token } });
        stream.control({ case: "keepAlive", value: {} });
        return (await stream.acknowledged) ? stream.close() : stream.ended;
      },
    },
    {
      name: "RefreshToken",
      travelsIn: "field",
      kinds: ["refresh"],
      wrongKinds: [],
      refusal: "the token is not good",
      tooLong: "refresh_token: must be at most 8192 bytes",
      carries: fitsField,
      offer: (refreshToken = "") =>
        http(
          { path: pathOf(TokenService.method.refreshToken), body: JSON.stringify({ refreshToken }) },
          undefined,
        ),
    },
  ];
  const old = oldPaths.map(({ path, body, kinds, welcome = ["ok"] }): Place => {
    return {
      name: `${body ? "POST" : "GET"} ${path}`,
      ...inHeader(...kinds),
      welcome,
      offer: (token, userId = "ada") =>
        http(
          {
            path: path.replace("{user_id}", encodeURIComponent(userId)),
            ...(body && { body: JSON.stringify(body(userId)) }),
          },
          token,
        ),
    };
  });
  return {
    groups: [
      ...single.map((place) => ({ name: place.name, places: [place] })),
      { name: "the old HTTP paths", places: old },
    ],
    close() {
      agent.destroy();
      channel.close();
    },
  };
}

interface OldPath {
  readonly path: string;
  /** Absent: GET. */
  readonly body?: (userId: string) => object;
  readonly kinds: readonly CredentialKind[];
  readonly welcome?: readonly string[];
}

const users = ["login", "issuer-login"] as const;
const minters = [...users, "service"] as const;
const anybody = [...users, "participant", "service"] as const;
const enter = (userId: string) => ({ roomName: room, participantIdentity: userId });

/** With a body that each takes. */
const oldPaths: readonly OldPath[] = [
  { path: "/api/livekit/token", body: enter, kinds: minters },
  { path: "/api/transcription/token", body: enter, kinds: minters },
  { path: "/token/room", body: enter, kinds: minters },
  { path: "/token/join", body: enter, kinds: minters },
  { path: "/token/validate", body: () => ({ token: "x" }), kinds: anybody },
  { path: "/api/jitsi/generate-token", body: (userId) => ({ roomName: room, userId }), kinds: minters },
  {
    path: "/api/interviews/analyze",
    body: (userId) => ({ userId, candidateAnswer: "I did." }),
    kinds: ["participant", "service"],
    welcome: ["ok", "invalid_argument"], // a participant must name a session
  },
  {
    path: "/api/user_modules/save",
    body: () => ({ module_name: "m", document: {} }),
    kinds: users,
    welcome: ["ok", "unimplemented"],
  },
  { path: "/user_modules/user/{user_id}", kinds: users, welcome: ["ok", "unimplemented"] },
  { path: "/livekit/status", kinds: anybody },
  { path: "/stats", kinds: ["service"] },
];

function fitsHeader(token: string): boolean {
  return /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(token) && token.length < maxHeaderBytes;
}

export function fitsQuery(token: string): boolean {
  return token.isWellFormed() && encodeURIComponent(token).length < maxTargetBytes;
}

function fitsField(token: string): boolean {
  return token !== "" && token.isWellFormed();
}

function pathOf(method: DescMethod): string {
  return `/${method.parent.typeName}/${method.name}`;
}

interface HttpRequest {
  readonly path: string;
  /** Absent: GET. */
  readonly body?: string | Uint8Array;
  /** Default: JSON. */
  readonly contentType?: string;
}

/** A gRPC message of no bytes. */
const emptyFrame = new Uint8Array(5);

async function sendHttp(
  agent: Agent,
  url: URL,
  { body, contentType = "application/json" }: HttpRequest,
  token: string | undefined,
): Promise<Outcome> {
  const request = httpRequest(url, {
    agent,
    method: body === undefined ? "GET" : "POST",
    headers: {
      ...(body !== undefined && { "content-type": contentType, "content-length": Buffer.byteLength(body) }),
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
    },
  });
  request.end(body);
  const { promise, resolve, reject } = Promise.withResolvers<Outcome>();
  request.on("error", reject);
  request.on("response", (response) => {
    text(response).then((received) => {
      const headers = response.headers;
      resolve({
        ...readAnswer({ status: response.statusCode ?? 0, headers, body: received }),
        received: JSON.stringify(response.rawHeaders) + received,
      });
    }, reject);
  });
  return promise;
}

/** By the protocol of grpc-websockets, with an empty request. */
async function callOverSocket(url: URL, token: string | undefined): Promise<Outcome> {
  const socket = new WebSocket(url, ["grpc-websockets"]);
  let body = "";
  socket.on("message", (data: Buffer) => (body += data.toString("latin1")));
  await once(socket, "open");
  const credential = token === undefined ? "" : `authorization: Bearer ${token}\r\n`;
  socket.send(Buffer.from(`content-type: application/grpc-web+proto\r\nx-grpc-web: 1\r\n${credential}`));
  socket.send(Buffer.concat([Buffer.of(0), emptyFrame]));
  socket.send(Buffer.of(1));
  const [closeCode, reason] = (await once(socket, "close")) as [number, Buffer];
  const received = body + reason.toString();
  if (!body.includes("grpc-status")) return { code: `close ${closeCode}`, message: "", received };
  const headers = { "content-type": "application/grpc-web+proto" };
  return { ...readAnswer({ status: 200, headers, body }), received };
}

/** What a handshake with the token in its URL is answered; "ok" is a WebSocket, which is closed at once. */
export function openOldSocket(url: URL, token: string | undefined): Promise<Outcome> {
  const query = token === undefined ? "" : `?token=${encodeURIComponent(token)}`;
  const socket = new WebSocket(`${url.href}${query}`);
  const { promise, resolve, reject } = Promise.withResolvers<Outcome>();
  let received = "";
  socket.on("open", () => socket.close());
  socket.on("message", (data: Buffer) => (received += data.toString()));
  socket.on("close", () => resolve({ code: "ok", message: "", received }));
  socket.on("unexpected-response", (_, response) => {
    text(response).then((body) => {
      const { statusCode = 0, headers, rawHeaders } = response;
      const answer = readAnswer({ status: statusCode, headers, body });
      resolve({ ...answer, received: JSON.stringify(rawHeaders) + body });
    }, reject);
  });
  socket.on("error", reject);
  return promise;
}

interface HttpAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

function readAnswer({ status, headers, body }: HttpAnswer): Pick<Outcome, "code" | "message"> {
  if (headers["content-type"]?.startsWith("application/grpc-web")) {
    const field = (name: string) => headers[name] ?? new RegExp(`${name}: ?([^\r\n]*)`).exec(body)?.[1] ?? "";
    return {
      code: codeName(Number(field("grpc-status"))),
      message: decodeURIComponent(String(field("grpc-message"))),
    };
  }
  if (status === 200) return { code: "ok", message: "" };
  // A refusal by the HTTP parser has no body.
  const answer = (body === "" ? {} : JSON.parse(body)) as { code?: string; message?: string };
  const { code = `HTTP ${status}`, message = "" } = answer;
  return { code, message };
}

/** Of a gRPC status, as JSON errors have it. */
function codeName(status: number): string {
  if (status === 0) return "ok";
  return (Code[status] ?? "").replace(/(?<=[a-z])(?=[A-Z])/g, "_").toLowerCase();
}

function metadataOf(token: string | undefined): grpc.Metadata {
  const metadata = new grpc.Metadata();
  if (token !== undefined) metadata.set("authorization", `Bearer ${token}`);
  return metadata;
}

function outcomeOf({ code, details, metadata }: grpc.StatusObject): Outcome {
  return {
    code: codeName(code),
    message: details,
    received: JSON.stringify([details, metadata.getMap()]),
  };
}

const asItIs = (bytes: Buffer) => bytes;

/** With an empty request. */
function callGrpc(client: grpc.Client, path: string, token: string | undefined): Promise<Outcome> {
  return new Promise((resolve) => {
    client
      .makeUnaryRequest(path, asItIs, asItIs, Buffer.alloc(0), metadataOf(token), () => undefined)
      .on("status", (status) => resolve(outcomeOf(status)));
  });
}

type Control = MessageInitShape<typeof TranscribeRequestSchema>["message"];

interface TranscribeCall {
  /** Whether the session was opened. */
  readonly started: Promise<boolean>;
  /** Whether a second event came. */
  readonly acknowledged: Promise<boolean>;
  readonly ended: Promise<Outcome>;
  control(
    action: { case: "reauthenticate"; value: { token: string } } | { case: "keepAlive"; value: object },
  ): void;
  /** Ends the session; how that went. */
  close(): Promise<Outcome>;
}

function openTranscribe(client: grpc.Client, token: string | undefined): TranscribeCall {
  const call = client.makeBidiStreamRequest(
    pathOf(TranscriptionService.method.transcribe),
    (message: Control) =>
      Buffer.from(toBinary(TranscribeRequestSchema, create(TranscribeRequestSchema, { message: message! }))),
    asItIs,
    metadataOf(token),
  );
  const [first, second] = [Promise.withResolvers<boolean>(), Promise.withResolvers<boolean>()];
  let events = 0;
  call.on("data", () => {
    events += 1;
    (events === 1 ? first : second).resolve(true);
  });
  call.on("error", () => undefined); // the status says the same
  const ended = new Promise<Outcome>((resolve) => {
    call.on("status", (status) => {
      first.resolve(false);
      second.resolve(false);
      resolve(outcomeOf(status));
    });
  });
  const config = { encoding: AudioEncoding.LINEAR16, sampleRateHz: 16_000 };
  call.write({ case: "config", value: config });
  return {
    started: first.promise,
    acknowledged: second.promise,
    ended,
    control: (action) => call.write({ case: "control", value: { action } }),
    close() {
      call.end();
      return ended;
    },
  };
}
