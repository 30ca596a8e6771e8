/** Limits on calls, over real sockets: by caller, by address, and what a client is told. */
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { RetryInfoSchema } from "../../../gen/ts/google/rpc/error_details_pb.ts";
import { TokenService } from "../../../gen/ts/parley/token/v1/token_pb.ts";
import { createGateway } from "../../../src/gateway/create-gateway.ts";
import type { Gateway } from "../../../src/gateway/create-gateway.ts";
import { rateLimits } from "../../../src/gateway/interceptors/rate-limits.ts";
import { defaultRateLimits } from "../../../src/gateway/rate-limits/rate-limit-values.ts";
import type { RateLimitValues } from "../../../src/gateway/rate-limits/rate-limit-values.ts";
import { silentLog } from "../../storage/silent-log.ts";
import { startInMemoryServer } from "../services/token/in-memory-server.ts";
import type { InMemoryServer } from "../services/token/in-memory-server.ts";

let server: InMemoryServer;
let key: string;
beforeAll(async () => {
  server = await startInMemoryServer();
  key = await server.service("tokens", "stats");
});
afterAll(() => server.close());

const gateways: Gateway[] = [];
let now: number;
beforeEach(async () => {
  now = Date.now();
  await Promise.all(gateways.splice(0).map((gateway) => gateway.stop({ graceMs: 0 })));
});
afterAll(() => Promise.all(gateways.map((gateway) => gateway.stop({ graceMs: 0 }))));

/** A gateway of its own, and clients of it. */
async function start(values: Partial<RateLimitValues>) {
  const rates = rateLimits({ ...defaultRateLimits, ...values }, () => now);
  // As main.ts has them: the address before the credentials, the caller after.
  const at = server.interceptors.length - 3;
  const interceptors = [
    ...server.interceptors.slice(0, at),
    rates.byAddress,
    server.interceptors[at]!,
    rates.byCaller,
    ...server.interceptors.slice(at + 1),
  ];
  const gateway = createGateway({
    routes: server.routes,
    interceptors,
    health: () => ({ ready: true, dependencies: {} }),
    descriptors: [],
    allowedOrigins: [],
    log: silentLog,
  });
  gateways.push(gateway);
  const { port } = await gateway.listen(0, "127.0.0.1");
  const baseUrl = `http://127.0.0.1:${port}`;
  return {
    baseUrl,
    as: (credential: string) =>
      createClient(
        TokenService,
        createGrpcTransport({
          baseUrl,
          interceptors: [
            (next) => (request) => {
              request.header.set("authorization", `Bearer ${credential}`);
              return next(request);
            },
          ],
        }),
      ),
  };
}
async function errorOf(call: Promise<unknown>): Promise<ConnectError> {
  return ConnectError.from(
    await call.then(
      () => expect.unreachable("it succeeded"),
      (error: unknown) => error,
    ),
  );
}

describe("a user", () => {
  test("who asks for tokens too often is told how long to wait, to people and to programs", async () => {
    const { as } = await start({ mintsPerUser: 2 });
    const ada = as(server.user("ada"));
    await ada.createTranscriptionToken({});
    await ada.createSessionTokens({});
    const error = await errorOf(ada.createTranscriptionToken({}));
    expect([Code[error.code], error.rawMessage]).toEqual([
      "ResourceExhausted",
      "too many calls: MAX_MINTS_PER_MINUTE allows 2 a minute; try again in 30 s",
    ]);
    expect(error.metadata.get("retry-after")).toBe("30");
    const [info] = error.findDetails(RetryInfoSchema);
    expect(Number(info?.retryDelay?.seconds)).toBe(30);
    await as(server.user("bob")).createTranscriptionToken({});
    await ada.validateToken({ token: "x" });
    now += 30_000;
    await ada.createTranscriptionToken({});
  });

  test("over HTTP is told so by the old paths too", async () => {
    const { baseUrl } = await start({ validationsPerUser: 1 });
    const validate = () =>
      fetch(`${baseUrl}/token/validate`, {
        method: "POST",
        headers: { authorization: `Bearer ${server.user("ada")}`, "content-type": "application/json" },
        body: '{"token":"x"}',
      });
    expect((await validate()).status).toBe(200);
    const refused = await validate();
    expect([refused.status, refused.headers.get("retry-after")]).toEqual([429, "60"]);
    await refused.body?.cancel();
  });
});

test("a service's calls are counted by its key, and not by its address", async () => {
  const { as } = await start({ callsPerAddress: 1, callsPerService: 3 });
  for (let call = 0; call < 3; call++) await as(key).createTranscriptionToken({ participantIdentity: "ada" });
  const error = await errorOf(as(key).createTranscriptionToken({ participantIdentity: "ada" }));
  expect(error.rawMessage).toContain("MAX_SERVICE_CALLS_PER_MINUTE allows 3");
});

describe("an address", () => {
  test("from which bad credentials come is not listened to any more, with good ones neither", async () => {
    const { as } = await start({ callsPerAddress: 3 });
    for (let call = 0; call < 3; call++)
      expect((await errorOf(as("bad").getStats({}))).code).toBe(Code.Unauthenticated);
    const refusals = server.refused.length;
    const error = await errorOf(as(key).getStats({}));
    expect([Code[error.code], error.rawMessage]).toEqual([
      "ResourceExhausted",
      expect.stringContaining("MAX_CALLS_PER_ADDRESS_PER_MINUTE"),
    ]);
    expect((await errorOf(as("bad").getStats({}))).code).toBe(Code.ResourceExhausted);
    expect(server.refused).toHaveLength(refusals); // nothing was verified
    now += 20_000;
    await as(key).getStats({});
  });

  test("counts refresh tokens that are no good, and the calls of all its users", async () => {
    const { as } = await start({ callsPerAddress: 4 });
    await errorOf(as("none").refreshToken({ refreshToken: "x" })); // as a call, and as a refusal
    await as(server.user("ada")).validateToken({ token: "x" });
    await as(server.user("bob")).validateToken({ token: "x" });
    expect((await errorOf(as(server.user("eve")).validateToken({ token: "x" }))).code).toBe(
      Code.ResourceExhausted,
    );
  });
});

test("calls that are not limited go on", async () => {
  const { as } = await start({ callsPerService: 1, mintsPerUser: 1 });
  for (let call = 0; call < 5; call++) {
    await as(key).getStats({});
    await as(server.user("ada")).listRooms({});
  }
});
