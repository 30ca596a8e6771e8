import { Code, ConnectError, createClient, createRouterTransport } from "@connectrpc/connect";
import type { Interceptor } from "@connectrpc/connect";
import { describe, expect, test } from "vitest";
import { Health } from "../../../gen/ts/grpc/health/v1/health_pb.ts";
import { TokenService } from "../../../gen/ts/parley/token/v1/token_pb.ts";
import {
  callerKey,
  credentialsInterceptor,
  requireCaller,
} from "../../../src/gateway/interceptors/credentials.ts";
import type { Caller } from "../../../src/token/caller.ts";
import { TokenError } from "../../../src/token/token-error.ts";

const user: Caller = { kind: "user", userId: "ada", issuer: "app", subject: "ada", expireTime: new Date(0) };
const service: Caller = { kind: "service", apiKeyId: "0".repeat(16), scopes: new Set(["rooms"]) };

function serve(verify: (credential: string) => Promise<Caller>) {
  const asked: string[] = [];
  const refused: unknown[] = [];
  const seen: (Caller | undefined)[] = [];
  const transport = (authorization?: string | readonly string[]) => {
    const authorize: Interceptor = (next) => (request) => {
      for (const value of [authorization ?? []].flat()) request.header.append("authorization", value);
      return next(request);
    };
    return createRouterTransport(
      (router) => {
        router.service(TokenService, {
          listRooms: (_, context) => {
            seen.push(requireCaller(context, "user", "service"));
            return {};
          },
          getRoom: (_, context) => ({ room: { ownerUserId: requireCaller(context, "participant").userId } }),
          refreshToken: (_, context) => {
            seen.push(context.values.get(callerKey));
            return {};
          },
        });
        router.service(Health, { check: () => ({}) });
      },
      {
        router: {
          interceptors: [
            credentialsInterceptor({
              verify: (credential) => {
                asked.push(credential);
                return verify(credential);
              },
              onRefused: (reason) => refused.push(reason),
            }),
          ],
        },
        transport: { interceptors: [authorize] },
      },
    );
  };
  const tokens = (authorization?: string | readonly string[]) =>
    createClient(TokenService, transport(authorization));
  const health = () => createClient(Health, transport("Bearer good"));
  return { tokens, health, asked, refused, seen };
}

const errorOf = async (promise: Promise<unknown>) =>
  (await promise.catch((caught: unknown) => caught)) as ConnectError;
const listRooms = "parley.token.v1.TokenService.ListRooms";

test("the credential is what stands behind Bearer, in any case", async () => {
  const { tokens, asked, seen } = serve(async () => user);
  for (const scheme of ["Bearer", "bearer", "BEARER"]) await tokens(`${scheme} pk_a-b.c~d`).listRooms({});
  expect(asked).toEqual(["pk_a-b.c~d", "pk_a-b.c~d", "pk_a-b.c~d"]);
  expect(seen).toEqual([user, user, user]);
});

describe("no credential that can be read", () => {
  test.each([
    ["nothing at all", undefined],
    ["an empty header", ""],
    ["no scheme", "token"],
    ["another scheme", "Basic dXNlcjpwYXNz"],
    ["no token", "Bearer"],
    ["no token but a space", "Bearer "],
    ["two spaces", "Bearer  token"],
    ["a space in the token", "Bearer one two"],
    ["a comma in the token", "Bearer one,two"],
    ["a list", "Bearer one, Bearer two"],
    ["the header twice", ["Bearer one", "Bearer one"]],
    ["the header twice, once empty", ["", "Bearer one"]],
    ["a letter that is not ASCII", "Bearer tok\u00e9n"],
    ["the scheme twice", "Bearer Bearer one"],
  ])("%s is refused without asking", async (_, authorization) => {
    const { tokens, asked, refused } = serve(async () => user);
    const error = await errorOf(tokens(authorization).listRooms({}));
    expect(error.code).toBe(Code.Unauthenticated);
    expect(asked).toEqual([]);
    expect(refused).toEqual([{ method: listRooms, code: "missing" }]);
  });
});

test("every refusal reads the same, whatever the reason, which the operator learns", async () => {
  const codes = ["malformed", "signature", "expired", "audience", "revoked"] as const;
  const { tokens, refused } = serve(async (credential) => {
    throw new TokenError(credential as (typeof codes)[number], "canary");
  });
  const errors = [await errorOf(tokens().listRooms({}))];
  for (const code of codes) errors.push(await errorOf(tokens(`Bearer ${code}`).listRooms({})));
  expect(
    new Set(errors.map((error) => JSON.stringify([error.code, error.message, error.details]))).size,
  ).toBe(1);
  expect(errors[0]?.message).not.toContain("canary");
  expect(refused).toEqual(["missing", ...codes].map((code) => ({ method: listRooms, code })));
});

test("a database that cannot be asked is not a bad credential", async () => {
  const { tokens, refused } = serve(() => Promise.reject(new ConnectError("down", Code.Unavailable)));
  expect((await errorOf(tokens("Bearer x").listRooms({}))).code).toBe(Code.Unavailable);
  expect(refused).toEqual([]);
});

test("a good credential of the wrong kind or scope is told what is needed", async () => {
  const { tokens } = serve(async (credential) => (credential === "user" ? user : service));
  const ofUser = await errorOf(tokens("Bearer user").listApiKeys({}));
  expect(ofUser).toMatchObject({
    code: Code.PermissionDenied,
    rawMessage: 'this call is for an API key with scope "admin", not for a user token',
  });
  const ofService = await errorOf(tokens("Bearer service").listApiKeys({}));
  expect(ofService).toMatchObject({
    code: Code.PermissionDenied,
    rawMessage: 'this call needs an API key with scope "admin"',
  });
});

test("a handler that wants another kind than the table lets through refuses", async () => {
  const { tokens } = serve(async () => user);
  expect((await errorOf(tokens("Bearer user").getRoom({ roomName: "r" }))).code).toBe(Code.PermissionDenied);
});

test("an open RPC takes no notice of a credential", async () => {
  const { tokens, asked, seen } = serve(async () => user);
  await tokens("Bearer x").refreshToken({ refreshToken: "r" });
  await tokens().refreshToken({ refreshToken: "r" });
  expect(asked).toEqual([]);
  expect(seen).toEqual([undefined, undefined]);
});

test("an RPC that is not in the table is nobody's", async () => {
  const { health, asked } = serve(async () => service);
  expect((await errorOf(health().check({}))).code).toBe(Code.PermissionDenied);
  expect(asked).toEqual([]);
});
