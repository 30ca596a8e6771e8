/** The two clients of grpc-websockets that others wrote and apps use: every kind of call, errors, metadata, cancellation. */
import { fromBinary, toBinary, create } from "@bufbuild/protobuf";
import { StringValueSchema } from "@bufbuild/protobuf/wkt";
import improbable from "@improbable-eng/grpc-web";
import type { grpc as Improbable } from "@improbable-eng/grpc-web";
import { createChannel, createClientFactory, Metadata, WebsocketTransport } from "nice-grpc-web";
import type { ClientError } from "nice-grpc-web";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startKindsGateway, type KindsGateway } from "./kinds-gateway.ts";
import { texts } from "./kinds-service.ts";

const { grpc } = improbable;

let server: KindsGateway;
beforeAll(async () => {
  server = await startKindsGateway();
});
afterAll(() => server.close());

interface Text {
  readonly value: string;
}

const encode = ({ value }: Text) => toBinary(StringValueSchema, create(StringValueSchema, { value }));
const decode = (bytes: Uint8Array): Text => fromBinary(StringValueSchema, bytes);

describe("nice-grpc-web", () => {
  const method = <Q extends boolean, S extends boolean>(
    name: string,
    requestStream: Q,
    responseStream: S,
  ) => ({
    path: `/kinds.v1.KindsService/${name}`,
    requestStream,
    responseStream,
    requestSerialize: encode,
    requestDeserialize: decode,
    responseSerialize: encode,
    responseDeserialize: decode,
    options: {},
  });
  const definition = {
    unary: method("Unary", false, false),
    server: method("Server", false, true),
    client: method("Client", true, false),
    bidi: method("Bidi", true, true),
  } as const;
  const client = () =>
    createClientFactory().create(definition, createChannel(server.url, WebsocketTransport()));

  async function all(answers: AsyncIterable<Text>): Promise<string[]> {
    const values: string[] = [];
    for await (const { value } of answers) values.push(value);
    return values;
  }

  test("calls each kind", async () => {
    expect(await client().unary({ value: "red" })).toMatchObject({ value: "red" });
    expect(await all(client().server({ value: "red green" }))).toEqual(["red", "green"]);
    expect(await client().client(texts("red", "green"))).toMatchObject({ value: "red green" });
    expect(await all(client().bidi(texts("red", "green", "blue")))).toEqual(["red", "green", "blue"]);
  });

  test("hears an answer before it has said everything", async () => {
    const heard = Array.from({ length: 3 }, () => Promise.withResolvers<string>());
    async function* questions() {
      yield { value: "0" };
      for (const { promise } of heard.slice(0, 2)) yield { value: `after ${await promise}` };
    }
    let count = 0;
    for await (const { value } of client().bidi(questions())) heard[count++]?.resolve(value);
    expect(await heard[2]?.promise).toBe("after after 0");
  });

  test("reads errors and metadata", async () => {
    const error = await client()
      .unary({ value: "fail" })
      .catch((reason: unknown) => reason as ClientError);
    expect(error).toMatchObject({ code: 8, details: "too many; wait: 7 s" });
    let header: Metadata | undefined;
    let trailer: Metadata | undefined;
    await client().unary(
      { value: "metadata" },
      {
        metadata: Metadata({ "x-sent": "a: b" }),
        onHeader: (metadata) => (header = metadata),
        onTrailer: (metadata) => (trailer = metadata),
      },
    );
    expect(header?.get("x-header")).toBe("a: b");
    expect(trailer?.get("x-trailer")).toBe("last");
    expect(trailer?.get("x-bytes-bin")).toEqual(Uint8Array.of(0, 1, 2));
  });

  test("cancels", async () => {
    const before = server.aborted.length;
    const abort = new AbortController();
    const call = client().unary({ value: "wait" }, { signal: abort.signal });
    await expect.poll(() => server.gateway.callsInFlight()).toBe(1);
    abort.abort();
    await expect(call).rejects.toThrow();
    await expect.poll(() => server.aborted.length).toBe(before + 1);
    await expect.poll(() => server.gateway.callsInFlight()).toBe(0);
  });
});

describe("@improbable-eng/grpc-web", () => {
  const message = (value: string) => ({ serializeBinary: () => encode({ value }), value });
  const service = { serviceName: "kinds.v1.KindsService" };
  const method = (methodName: string, requestStream: boolean, responseStream: boolean) => ({
    methodName,
    service,
    requestStream,
    responseStream,
    requestType: {} as never,
    responseType: { deserializeBinary: decode } as never,
  });

  interface Outcome {
    code: number;
    message: string;
    values: string[];
    headers: Improbable.Metadata | undefined;
    trailers: Improbable.Metadata;
  }

  /** Says each of these and half-closes; with a function it decides after each answer what comes next. */
  function call(
    name: string,
    says: readonly string[],
    options: { metadata?: Record<string, string>; onClient?: (close: () => void) => void } = {},
  ): Promise<Outcome> {
    const { promise, resolve } = Promise.withResolvers<Outcome>();
    const values: string[] = [];
    let headers: Improbable.Metadata | undefined;
    const client = grpc.client(method(name, true, true) as never, {
      host: server.url,
      transport: grpc.WebsocketTransport(),
    });
    client.onHeaders((metadata) => (headers = metadata));
    client.onMessage((answer) => values.push((answer as unknown as Text).value));
    client.onEnd((code, text, trailers) => resolve({ code, message: text, values, headers, trailers }));
    client.start(new grpc.Metadata(options.metadata ?? {}));
    for (const value of says) client.send(message(value) as never);
    client.finishSend();
    options.onClient?.(() => client.close());
    return promise;
  }

  test("calls each kind", async () => {
    expect(await call("Unary", ["red"])).toMatchObject({ code: 0, values: ["red"] });
    expect(await call("Server", ["red green"])).toMatchObject({ code: 0, values: ["red", "green"] });
    expect(await call("Client", ["red", "green"])).toMatchObject({ code: 0, values: ["red green"] });
    expect(await call("Bidi", ["red", "green"])).toMatchObject({ code: 0, values: ["red", "green"] });
  });

  test("hears an answer before it has said everything", async () => {
    const { promise, resolve } = Promise.withResolvers<string[]>();
    const values: string[] = [];
    const client = grpc.client(method("Bidi", true, true) as never, {
      host: server.url,
      transport: grpc.WebsocketTransport(),
    });
    client.onMessage((answer) => {
      values.push((answer as unknown as Text).value);
      if (values.length < 3) client.send(message(`after ${values.at(-1)}`) as never);
      else client.finishSend();
    });
    client.onEnd(() => resolve(values));
    client.start();
    client.send(message("0") as never);
    expect(await promise).toEqual(["0", "after 0", "after after 0"]);
  });

  test("reads errors, after answers too, and metadata", async () => {
    expect(await call("Unary", ["fail"])).toMatchObject({
      code: 8,
      message: "too many; wait: 7 s",
      values: [],
    });
    expect(await call("Server", ["red fail"])).toMatchObject({ code: 8, values: ["red"] });
    expect(await call("Missing", ["x"])).toMatchObject({ code: 12 });
    const { headers, trailers } = await call("Unary", ["metadata"], { metadata: { "x-sent": "a: b" } });
    expect(headers?.get("x-header")).toEqual(["a: b"]);
    expect(trailers.get("x-trailer")).toEqual(["last"]);
  });

  test("cancels", async () => {
    const before = server.aborted.length;
    let close = () => {};
    void call("Unary", ["wait"], { onClient: (given) => (close = given) });
    await expect.poll(() => server.gateway.callsInFlight()).toBe(1);
    close();
    await expect.poll(() => server.aborted.length).toBe(before + 1);
    await expect.poll(() => server.gateway.callsInFlight()).toBe(0);
  });
});
