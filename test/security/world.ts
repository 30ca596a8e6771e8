/**
 * A whole server that takes every kind of token, the two issuers whose users it lets in, and an attacker: with keys of their
 * own, and a web server that serves them to whoever can be made to ask. Nobody ever must.
 */
import { writeFile, mkdtemp } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sendJson, startScriptedIssuer } from "../fakes/scripted-issuer.ts";
import type { ScriptedIssuer } from "../fakes/scripted-issuer.ts";
import { startTestServer } from "../e2e/start-test-server.ts";
import type { TestServer } from "../e2e/start-test-server.ts";
import { makeKey } from "./compact-token.ts";
import type { TestKey } from "./compact-token.ts";

export interface World {
  readonly server: TestServer;
  readonly secrets: Secrets;
  /** With which the server signs transcription tokens. */
  readonly ownKey: TestKey;
  /** The first keeps its users' ids; both name their keys alike. */
  readonly issuers: readonly [TestIssuer, TestIssuer];
  readonly attacker: Attacker;
  close(): Promise<void>;
}

export interface Secrets {
  readonly jwt: string;
  readonly previousJwt: string;
  readonly livekit: string;
  readonly jitsi: string;
  readonly sfu: string;
}

export interface TestIssuer {
  readonly server: ScriptedIssuer;
  readonly rsa: TestKey;
  readonly ec: TestKey;
}

export interface Attacker {
  readonly url: string;
  /** Connections that anybody has made. */
  readonly connections: () => number;
  readonly rsa: TestKey;
  readonly ec: TestKey;
  readonly ed25519: TestKey;
  close(): Promise<void>;
}

export const jwtIssuer = "interview-backend";
export const jwtAudience = "transcription-service";
export const oidcAudience = "https://parley.example";
export const authorizedParty = "https://app.example";
export const livekitApiKey = "APIsecurity";
export const jitsiAppId = "parley-meet";
export const jitsiDomain = "meet.example";
/** The kids of both issuers. */
export const kids = { rsa: "2026-rsa", ec: "2026-ec" } as const;

export const secrets: Secrets = {
  jwt: "the-secret-of-the-server-in-32-bytes",
  previousJwt: "the-secret-before-that-one-in-32-bytes",
  livekit: "the-secret-of-livekit-in-over-32-bytes",
  jitsi: "the-secret-of-jitsi-in-32-bytes-or-more",
  sfu: "the-secret-of-the-sfu-in-over-32-bytes",
};

export interface WorldOptions {
  readonly secrets?: Secrets;
  /** Besides, or in place of, what a world sets. */
  readonly env?: Readonly<Record<string, string>>;
}

export async function openWorld(options: WorldOptions = {}): Promise<World> {
  const own = options.secrets ?? secrets;
  const issuers = [await startIssuer(), await startIssuer()] as const;
  const attacker = await startAttacker();
  const ownKey = makeKey("ed25519", "");
  const server = await startTestServer({
    ...serverEnvironment(own),
    JWT_PRIVATE_KEY_FILE: await keyFile(ownKey),
    // The one by discovery, the other by the address of its keys.
    OIDC_ISSUERS: `${issuers[0].server.issuer},${issuers[1].server.issuer}|${issuers[1].server.jwksUrl}`,
    OIDC_AUDIENCE: oidcAudience,
    OIDC_AUTHORIZED_PARTIES: authorizedParty,
    ...options.env,
  });
  return {
    server,
    secrets: own,
    ownKey: { ...ownKey, kid: await publishedKid(server) },
    issuers,
    attacker,
    async close() {
      await server.stop(0);
      await Promise.all([...issuers.map((issuer) => issuer.server.stop()), attacker.close()]);
    },
  };
}

/** Every target, with these secrets, and limits that nobody reaches. */
export function serverEnvironment(own: Secrets): Readonly<Record<string, string>> {
  return {
    ...generousLimits,
    JWT_SECRET: own.jwt,
    JWT_SECRET_PREVIOUS: own.previousJwt,
    JWT_ISSUER: jwtIssuer,
    JWT_AUDIENCE: jwtAudience,
    LIVEKIT_URL: "ws://127.0.0.1:9",
    LIVEKIT_API_KEY: livekitApiKey,
    LIVEKIT_API_SECRET: own.livekit,
    JITSI_DOMAIN: jitsiDomain,
    JITSI_APP_ID: jitsiAppId,
    JITSI_APP_SECRET: own.jitsi,
    SFU_URL: "ws://127.0.0.1:9",
    SFU_JWT_SECRET: own.sfu,
  };
}

/** So that what is refused is refused for what it is, and not for coming often. */
const generousLimits = {
  MAX_MINTS_PER_MINUTE: "1000000",
  MAX_VALIDATIONS_PER_MINUTE: "1000000",
  MAX_OPENED_STREAMS_PER_MINUTE: "1000000",
  MAX_SERVICE_CALLS_PER_MINUTE: "10000000",
  MAX_CALLS_PER_ADDRESS_PER_MINUTE: "10000000",
  MAX_STREAMS_PER_PARTICIPANT: "2000",
  MAX_STREAMS_PER_ADDRESS: "2000",
};

async function startIssuer(): Promise<TestIssuer> {
  const server = await startScriptedIssuer();
  const [rsa, ec] = [makeKey("rsa", kids.rsa), makeKey("ec", kids.ec)];
  server.keys = [rsa.jwk, ec.jwk]; // without `alg`, as many publish them
  return { server, rsa, ec };
}

/** Answers every request with its own keys, as whatever document was asked for. */
async function startAttacker(): Promise<Attacker> {
  const [rsa, ec, ed25519] = [makeKey("rsa", kids.rsa), makeKey("ec", kids.ec), makeKey("ed25519", "ed")];
  let connections = 0;
  const server = createServer((_request, response) => {
    const { port } = server.address() as AddressInfo;
    const issuer = `http://127.0.0.1:${port}`;
    sendJson(response, { issuer, jwks_uri: `${issuer}/keys`, keys: [rsa.jwk, ec.jwk, ed25519.jwk] });
  });
  server.on("connection", () => (connections += 1));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    connections: () => connections,
    rsa,
    ec,
    ed25519,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** The path of a file with the private key, as PEM. */
export async function keyFile({ privateKey }: TestKey): Promise<string> {
  const path = join(await mkdtemp(join(tmpdir(), "parley-test-")), "key.pem");
  await writeFile(path, privateKey.export({ type: "pkcs8", format: "pem" }), { mode: 0o600 });
  return path;
}

async function publishedKid(server: TestServer): Promise<string> {
  const answer = await fetch(`${server.url}/.well-known/jwks.json`);
  const { keys } = (await answer.json()) as { keys: { kid: string }[] };
  return keys[0]?.kid ?? "";
}
