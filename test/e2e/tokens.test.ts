/** What only the whole server has of its tokens: published keys, limits, answers as they are sent, and its health. */
import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as jose from "jose";
import { afterAll, beforeAll, expect, test } from "vitest";
import { issueUserToken } from "../../src/token/users/user-token.ts";
import { startTestServer } from "./start-test-server.ts";
import type { TestServer } from "./start-test-server.ts";

const folder = mkdtempSync(join(tmpdir(), "parley-tokens-"));
const issuer = "http://127.0.0.1:9"; // where nobody listens
let server: TestServer;

beforeAll(async () => {
  const { privateKey } = generateKeyPairSync("ed25519");
  const file = join(folder, "sign.pem");
  writeFileSync(file, privateKey.export({ type: "pkcs8", format: "pem" }));
  server = await startTestServer({
    JWT_PRIVATE_KEY_FILE: file,
    OIDC_ISSUERS: issuer,
    OIDC_AUDIENCE: "app",
    MAX_MINTS_PER_MINUTE: "2",
  });
});
afterAll(async () => {
  await server.stop(0);
  rmSync(folder, { recursive: true });
});

const login = (userId: string) =>
  issueUserToken(
    { userId, ttlSeconds: 600 },
    {
      secret: server.jwtSecret,
      issuer: "interview-backend",
      audience: "transcription-service",
      expirySeconds: 60,
    },
    Date.now(),
  ).token;

/** Over Connect, as a browser sends it. */
const call = (method: string, credential: string, request: object = {}) =>
  fetch(`${server.url}/parley.token.v1.TokenService/${method}`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${credential}`,
      "content-type": "application/json",
      "accept-encoding": "gzip",
    },
    body: JSON.stringify(request),
  });

test("a transcription token is verified by another library with the keys that the server publishes", async () => {
  const answer = await call("CreateSessionTokens", server.apiKey, { participantIdentity: "ada" });
  const { transcriptionToken } = (await answer.json()) as { transcriptionToken: string };
  const keys = jose.createRemoteJWKSet(new URL("/.well-known/jwks.json", server.url));
  const { payload, protectedHeader } = await jose.jwtVerify(transcriptionToken, keys, {
    issuer: "interview-backend",
    audience: "transcription-service",
  });
  expect([payload["userId"], protectedHeader.alg]).toEqual(["ada", "EdDSA"]);
});

test("an answer with tokens in it is not compressed, however long it is", async () => {
  const answer = await call("CreateSessionTokens", server.apiKey, { participantIdentity: "ada" });
  expect((await answer.arrayBuffer()).byteLength).toBeGreaterThan(1024);
  expect(answer.headers.get("content-encoding")).toBeNull();
});

test("a user who asks too often is told when to come again, and another is not", async () => {
  for (let asked = 0; asked < 2; asked++) {
    const answer = await call("CreateTranscriptionToken", login("ada"));
    expect(answer.status).toBe(200);
    await answer.body?.cancel();
  }
  const refused = await call("CreateTranscriptionToken", login("ada"));
  expect([refused.status, refused.headers.get("retry-after")]).toEqual([429, "30"]);
  expect(await refused.json()).toMatchObject({
    code: "resource_exhausted",
    details: [{ type: "google.rpc.RetryInfo" }],
  });
  const other = await call("CreateTranscriptionToken", login("bob"));
  expect(other.status).toBe(200);
  await other.body?.cancel();
});

test("an issuer that cannot be reached makes its logins UNAVAILABLE, shows in the health, and stops nothing else", async () => {
  const health = async () => {
    const answer = await fetch(`${server.url}/health`);
    return {
      status: answer.status,
      body: (await answer.json()) as { dependencies: Record<string, unknown> },
    };
  };
  expect((await health()).body.dependencies["oidc"]).toMatchObject({ ready: true });
  const { privateKey } = await jose.generateKeyPair("RS256");
  const token = await new jose.SignJWT({ sub: "ada" })
    .setProtectedHeader({ alg: "RS256", kid: "1" })
    .setIssuer(issuer)
    .setAudience("app")
    .setExpirationTime("5m")
    .sign(privateKey);
  const refused = await call("ListRooms", token);
  expect(refused.status).toBe(503);
  await refused.body?.cancel();
  const { status, body } = await health();
  expect(status).toBe(200);
  expect(body.dependencies["oidc"]).toMatchObject({ ready: false });
  expect(JSON.stringify(body)).not.toContain(issuer);
});
