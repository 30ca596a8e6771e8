/** Logins of a real OpenID Connect provider at the whole server, over real sockets. */
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Target, TokenService } from "../../gen/ts/parley/token/v1/token_pb.ts";
import { describePostgres } from "../storage/databases.ts";
import { apiAudience, makeProviderKey, startProvider } from "../token/users/oidc/start-provider.ts";
import type { LogIn, TestProvider } from "../token/users/oidc/start-provider.ts";
import { transportTo } from "./speech-client.ts";
import { startTestServer } from "./start-test-server.ts";
import type { TestServer } from "./start-test-server.ts";

const tokens = (server: TestServer, credential: string) =>
  createClient(TokenService, transportTo(server.url, credential));
const enter = (server: TestServer, credential: string, roomName = "") =>
  tokens(server, credential).createSessionTokens({ roomName, targets: [Target.TRANSCRIPTION] });
const refusalOf = async (call: Promise<unknown>) => {
  const error = await call.then(
    () => undefined,
    (caught: unknown) => caught,
  );
  expect(error).toBeInstanceOf(ConnectError);
  const { code, rawMessage } = error as ConnectError;
  return { code, rawMessage };
};

let provider: TestProvider;
let ada: LogIn;
/** Was there when the token was made, and never when a server asked. */
let gone: TestProvider;
let tokenOfGone = "";
beforeAll(async () => {
  const extraClaims = { name: "Ada", email: "ada@example.com" };
  provider = await startProvider({ keys: [makeProviderKey("ES256", "k")], extraClaims });
  ada = await provider.logIn("ada");
  gone = await startProvider({ keys: [makeProviderKey("ES256", "k")] });
  tokenOfGone = await gone.clientToken();
  await gone.stop();
});
afterAll(() => provider.stop());
const env = () => ({ OIDC_ISSUERS: `${provider.issuer},${gone.issuer}`, OIDC_AUDIENCE: apiAudience });

describe("a server with issuers", () => {
  let server: TestServer;
  beforeAll(async () => void (server = await startTestServer(env())));
  afterAll(() => server.stop(0));

  test("lets those in who logged in there, into rooms that are theirs", async () => {
    const { roomName, participantIdentity } = await enter(server, ada.accessToken);
    expect(participantIdentity).toBe("ada");
    const eve = await provider.logIn("eve");
    const { room } = await tokens(server, ada.accessToken).getRoom({ roomName });
    expect(room?.ownerUserId).toBe("ada");
    const hers = tokens(server, eve.accessToken).deleteRoom({ roomName });
    expect(await refusalOf(hers)).toMatchObject({ code: Code.NotFound });
    expect(provider.requests.get("/jwks")).toBe(1);
  });

  test("answers every bad token alike, and repeats none, not even in its log", async () => {
    const [header, payload] = ada.accessToken.split(".");
    const bad = [ada.idToken, ada.refreshToken, `${header}.${payload}.AAAA`, "e30.e30.e30", "a.b.c"];
    const refusals = await Promise.all(bad.map((token) => refusalOf(enter(server, token))));
    for (const refusal of refusals) {
      expect(refusal).toEqual(refusals[0]);
      expect(refusal.code).toBe(Code.Unauthenticated);
    }
    const log = server.logged.join("");
    expect(log).toContain("credential refused");
    for (const token of [...bad.slice(0, 3), ada.accessToken]) {
      for (const part of token.split(".").slice(1)) if (part.length > 20) expect(log).not.toContain(part);
    }
  });

  test("answers UNAVAILABLE while an issuer cannot be asked, and tells only its operator where that is", async () => {
    const { code, rawMessage } = await refusalOf(enter(server, tokenOfGone));
    expect(code).toBe(Code.Unavailable);
    expect(rawMessage).not.toContain("127.0.0.1");
    const warned = server.logged.filter((line) => line.includes(gone.issuer));
    expect(warned.join("")).toContain("its discovery document cannot be fetched (ECONNREFUSED)");
    await enter(server, ada.accessToken); // nobody else is kept out
  });
});

describePostgres("on PostgreSQL, users who call are recorded", (url) => {
  test("with what their login says of them", async () => {
    const server = await startTestServer({ ...env(), DATABASE_URL: url() });
    const client = new pg.Client({ connectionString: url() });
    await client.connect();
    try {
      await enter(server, ada.accessToken);
      const { roomName } = await enter(server, ada.accessToken);
      expect(roomName).not.toBe("");
    } finally {
      await server.stop(0); // also waits for what is written in the background
    }
    const { rows } = await client.query("select user_id, issuer, subject, display_name, email from users");
    await client.end();
    expect(rows).toEqual([
      {
        user_id: "ada",
        issuer: provider.issuer,
        subject: "ada",
        display_name: "Ada",
        email: "ada@example.com",
      },
    ]);
  });
});
