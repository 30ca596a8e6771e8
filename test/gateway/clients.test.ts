/** Every kind of client that Parley promises to serve, over one cleartext port. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { createClient, ConnectError, Code } from "@connectrpc/connect";
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from "@connectrpc/connect-node";
import * as grpc from "@grpc/grpc-js";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { TranscriptionService } from "../../gen/ts/parley/transcription/v1/transcription_pb.ts";
import { listSessionsPath, startEchoGateway, transcribePath, type EchoGateway } from "./echo-gateway.ts";
import { audio, grpcClient, grpcList, grpcTranscribe } from "./raw-clients.ts";

let echo: EchoGateway;
beforeAll(async () => {
  echo = await startEchoGateway();
});
afterAll(() => echo.close());

describe("@grpc/grpc-js", () => {
  test("gets a unary answer and a request id", async () => {
    const client = grpcClient(echo.port);
    const { response, status, headers } = await grpcList(client, "blue");
    expect(status.code).toBe(grpc.status.OK);
    expect(response?.nextPageToken).toBe("blue");
    expect(headers.get("x-request-id")).toHaveLength(1);
    client.close();
  });

  test("streams both ways at once", async () => {
    const client = grpcClient(echo.port);
    const stream = grpcTranscribe(client);
    for (let sequence = 1; sequence <= 5; sequence++) {
      const next = new Promise((resolve) => stream.call.once("data", resolve));
      stream.send(audio(640));
      // The answer comes while the request stream is still open.
      expect(await next).toMatchObject({ sequence });
    }
    stream.call.end();
    const { status, responses } = await stream.done;
    expect(status.code).toBe(grpc.status.OK);
    expect(responses).toHaveLength(5);
    client.close();
  });

  test("gets the status of a stream that the server ends while the client still sends", async () => {
    const client = grpcClient(echo.port);
    for (let round = 0; round < 20; round++) {
      const stream = grpcTranscribe(client);
      stream.send(audio(640));
      stream.send({ message: { case: "control", value: {} } });
      for (let i = 0; i < 20; i++) stream.send(audio(32_000));
      const { status } = await stream.done;
      expect(status.code).toBe(grpc.status.INVALID_ARGUMENT);
      expect(status.details).toBe("no control here");
    }
    client.close();
    await expect.poll(() => echo.gateway.callsInFlight()).toBe(0);
  });

  test("gets UNIMPLEMENTED for a method that is missing and for one that nobody knows", async () => {
    const client = grpcClient(echo.port);
    const known = await grpcList(client, "", listSessionsPath.replace("ListSessions", "GetSession"));
    expect(known.status.code).toBe(grpc.status.UNIMPLEMENTED);
    const unknown = await grpcList(client, "", "/no.Such/Method");
    expect(unknown.status.code).toBe(grpc.status.UNIMPLEMENTED);
    expect(unknown.status.details).toContain("no such path");
    client.close();
  });
});

describe("Connect-ES", () => {
  const transports = {
    "Connect, HTTP/1.1": () => createConnectTransport({ baseUrl: echo.url, httpVersion: "1.1" }),
    "Connect, HTTP/2": () => createConnectTransport({ baseUrl: echo.url, httpVersion: "2" }),
    "Connect, binary, gzip": () =>
      createConnectTransport({ baseUrl: echo.url, httpVersion: "1.1", useBinaryFormat: true }),
    "gRPC-web, HTTP/1.1": () => createGrpcWebTransport({ baseUrl: echo.url, httpVersion: "1.1" }),
    "gRPC-web, HTTP/2": () => createGrpcWebTransport({ baseUrl: echo.url, httpVersion: "2" }),
    gRPC: () => createGrpcTransport({ baseUrl: echo.url }),
  };
  test.each(Object.entries(transports))("%s gets a unary answer", async (_name, transport) => {
    const client = createClient(TranscriptionService, transport());
    expect((await client.listSessions({ roomName: "green" })).nextPageToken).toBe("green");
  });

  test("streams both ways over HTTP/2", async () => {
    const client = createClient(TranscriptionService, transports["Connect, HTTP/2"]());
    const sequences: number[] = [];
    async function* voice() {
      yield audio(640);
      yield audio(640);
    }
    for await (const response of client.transcribe(voice())) sequences.push(response.sequence);
    expect(sequences).toEqual([1, 2]);
  });

  test("an unimplemented method is UNIMPLEMENTED", async () => {
    const client = createClient(TranscriptionService, transports["Connect, HTTP/1.1"]());
    const error = await client
      .getSession({ sessionId: "x" })
      .catch((reason: unknown) => ConnectError.from(reason));
    expect(error).toMatchObject({ code: Code.Unimplemented });
  });
});

describe("fetch", () => {
  const post = (path: string, body: string, headers: Record<string, string> = {}) =>
    fetch(echo.url + path, {
      method: "POST",
      body,
      headers: { "content-type": "application/json", ...headers },
    });

  test("posts JSON and reads JSON", async () => {
    const response = await post(listSessionsPath, '{"room_name":"red"}', { "x-request-id": "my-own.id_01" });
    expect(await response.json()).toEqual({ nextPageToken: "red" });
    expect(response.headers.get("x-request-id")).toBe("my-own.id_01");
    expect(response.headers.get("x-powered-by")).toBeNull();
  });

  test("does not give back a request id that is no id", async () => {
    const response = await post(listSessionsPath, "{}", { "x-request-id": "a b <script>" });
    expect(response.headers.get("x-request-id")).toMatch(/^[0-9a-f-]{36}$/);
  });

  test("is told what is wrong with path, method, type and HTTP version", async () => {
    const missing = await post("/no/such/path", "{}");
    expect(missing.status).toBe(404);
    expect(await missing.json()).toMatchObject({ code: "unimplemented" });

    const wrongMethod = await fetch(echo.url + listSessionsPath);
    expect(wrongMethod.status).toBe(405);
    expect(wrongMethod.headers.get("allow")).toBe("POST");

    const wrongType = await post(listSessionsPath, "<a/>", { "content-type": "text/xml" });
    expect(wrongType.status).toBe(415);
    expect(await wrongType.json()).toMatchObject({
      message: expect.stringContaining("application/json") as string,
    });

    const oldHttp = await post(transcribePath, "", { "content-type": "application/connect+json" });
    expect(oldHttp.status).toBe(505);
    expect(await oldHttp.json()).toMatchObject({ message: expect.stringContaining("HTTP/2") as string });

    const badJson = await post(listSessionsPath, "{");
    expect(badJson.status).toBe(400);
    expect(await badJson.json()).toMatchObject({ code: "invalid_argument" });
    expect(echo.lines).toContainEqual(expect.objectContaining({ msg: "call refused", httpStatus: 400 }));
  });
});

describe("buf curl, without a schema", () => {
  const run = promisify(execFile);
  const curl = (...args: string[]) =>
    run("node_modules/.bin/buf", ["curl", "--http2-prior-knowledge", ...args]);

  test.each(["connect", "grpc", "grpcweb"])("calls over %s", async (protocol) => {
    const { stdout } = await curl(
      "--protocol",
      protocol,
      "-d",
      '{"room_name":"gold"}',
      echo.url + listSessionsPath,
    );
    expect(JSON.parse(stdout)).toEqual({ nextPageToken: "gold" });
  });

  test.each(["grpc-v1", "grpc-v1alpha"])("lists methods over reflection %s", async (protocol) => {
    const { stdout } = await curl("--list-methods", "--reflect-protocol", protocol, echo.url);
    expect(stdout).toContain("parley.transcription.v1.TranscriptionService/Transcribe\n");
    expect(stdout).toContain("grpc.health.v1.Health/Check\n");
  });
});
