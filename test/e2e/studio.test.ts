/** The studio's paths on the whole server: who is signed in without a login, what is audited, and what production has not. */
import { createClient } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { TokenService } from "../../gen/ts/parley/token/v1/token_pb.ts";
import { transportTo } from "./speech-client.ts";
import { startTestServer, type TestServer } from "./start-test-server.ts";

const signIn = ({ url }: TestServer, origin = url) =>
  fetch(`${url}/studio/sign-in`, {
    method: "POST",
    headers: { "content-type": "application/json", origin },
    body: '{"userId":"ada"}',
  });
const configOf = async ({ url }: TestServer): Promise<unknown> =>
  (await fetch(`${url}/studio/config.json`)).json();

test("a server on its own secrets signs its developer in, and says so in the audit log", async () => {
  const server = await startTestServer({ JWT_SECRET: "" });
  try {
    expect(await configOf(server)).toEqual({ development: true });
    expect((await signIn(server, "https://evil.example")).status).toBe(403);
    const { token } = (await (await signIn(server)).json()) as { token: string };
    const { room } = await createClient(TokenService, transportTo(server.url, token)).createRoom({
      roomName: "talk",
    });
    expect(room?.ownerUserId).toBe("ada");
    const admin = createClient(TokenService, transportTo(server.url, server.apiKey));
    const audited = async () => {
      const { events } = await admin.listAuditEvents({});
      return events.filter(({ action }) => action === "user_token.create");
    };
    await expect.poll(audited).toHaveLength(2);
    expect((await audited()).map(({ outcome, subject }) => `${outcome}: ${subject}`)).toEqual([
      "other_page: sign_in=development",
      "ok: user_id=ada sign_in=development",
    ]);
    expect(
      JSON.stringify(await audited(), (_, value: unknown) => (typeof value === "bigint" ? 0 : value)),
    ).not.toContain(token);
  } finally {
    await server.stop(0);
  }
});

test("a server with a secret that it was given signs nobody in unasked", async () => {
  const server = await startTestServer();
  try {
    expect(await configOf(server)).toEqual({ development: false });
    expect((await signIn(server)).status).toBe(404);
  } finally {
    await server.stop(0);
  }
});

test("the studio learns of the provider that is configured", async () => {
  const server = await startTestServer({
    OIDC_ISSUERS: "https://id.example,https://other.example",
    OIDC_AUDIENCE: "https://api.example",
    OIDC_CLIENT_ID: "studio",
    OIDC_SCOPES: "openid offline_access",
  });
  try {
    expect(await configOf(server)).toEqual({
      development: false,
      oidc: {
        issuer: "https://id.example",
        clientId: "studio",
        scopes: "openid offline_access",
        resource: "https://api.example",
      },
    });
  } finally {
    await server.stop(0);
  }
});
