/**
 * A real OpenID Connect provider (`oidc-provider`) in this process, over http on a port of its own. People log in to it as in
 * a browser, through its own pages; tokens come from its token endpoint.
 */
import { generateKeyPairSync } from "node:crypto";
import type { JsonWebKey } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import Provider from "oidc-provider";
import type { ClientMetadata, JWK } from "oidc-provider";

export type ProviderAlgorithm = "ES256" | "ES384" | "EdDSA" | "RS256" | "PS256";

export interface ProviderOptions {
  /** With which it signs. All of them are in its key set; the first is used. */
  readonly keys: readonly ProviderKey[];
  /** Default: a free one. Given, so that a provider comes back where another was. */
  readonly port?: number;
  /** Path of the issuer, such as `/realms/a`. Default: none. */
  readonly path?: string;
  /** Claims of access tokens besides the standard ones. */
  readonly extraClaims?: Readonly<Record<string, unknown>>;
  /** A page that is a client of its own, without a secret, and may ask from its own origin. Default: none. */
  readonly page?: { readonly clientId: string; readonly redirectUri: string };
  /** Default an hour. */
  readonly accessTokenTtlSeconds?: number;
}

export interface ProviderKey {
  readonly alg: ProviderAlgorithm;
  readonly kid: string;
  readonly jwk: JsonWebKey;
}

export interface LogIn {
  readonly accessToken: string;
  readonly idToken: string;
  readonly refreshToken: string;
}

export interface TestProvider {
  readonly issuer: string;
  readonly port: number;
  /** How often each path was asked for. */
  readonly requests: ReadonlyMap<string, number>;
  /** With the authorization code flow. */
  logIn(sub: string): Promise<LogIn>;
  /** Of an app that acts for itself; its `sub` is `app`. */
  clientToken(): Promise<string>;
  stop(): Promise<void>;
}

/** `aud` of its access tokens. */
export const apiAudience = "https://parley.example";
export const clientId = "app";
const clientSecret = "a-client-secret-of-the-app";
const redirectUri = "https://app.example/callback";

export function makeProviderKey(alg: ProviderAlgorithm, kid: string): ProviderKey {
  const pair = {
    ES256: () => generateKeyPairSync("ec", { namedCurve: "P-256" }),
    ES384: () => generateKeyPairSync("ec", { namedCurve: "P-384" }),
    EdDSA: () => generateKeyPairSync("ed25519"),
    RS256: () => generateKeyPairSync("rsa", { modulusLength: 2048 }),
    PS256: () => generateKeyPairSync("rsa", { modulusLength: 2048 }),
  }[alg]();
  return { alg, kid, jwk: { ...pair.privateKey.export({ format: "jwk" }), kid, alg, use: "sig" } };
}

export async function startProvider(options: ProviderOptions): Promise<TestProvider> {
  const requests = new Map<string, number>();
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(options.port ?? 0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const path = options.path ?? "";
  const issuer = `http://127.0.0.1:${port}${path}`;
  const answer = makeProvider(issuer, options).callback();
  server.on("request", (request, response) => {
    const [asked = ""] = (request.url ?? "").split("?");
    response.setHeader("connection", "close"); // none is left over when a provider comes back on the same port
    requests.set(asked, (requests.get(asked) ?? 0) + 1);
    // Below a path, as a reverse proxy hands it on.
    Object.assign(request, { originalUrl: request.url, url: (request.url ?? "").slice(path.length) });
    void answer(request, response);
  });
  return {
    issuer,
    port,
    requests,
    logIn: (sub) => logIn(issuer, sub),
    clientToken: async () =>
      (await askForTokens(issuer, { grant_type: "client_credentials", resource: apiAudience })).access_token,
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function makeProvider(issuer: string, options: ProviderOptions): Provider {
  const { keys, extraClaims, page, accessTokenTtlSeconds = 3600 } = options;
  const { alg, kid } = keys[0]!;
  const quiet = console.warn;
  console.warn = () => undefined; // that its pages and its store are not for production
  try {
    return new Provider(issuer, {
      jwks: { keys: keys.map(({ jwk }) => jwk as unknown as JWK) },
      clients: [
        {
          client_id: clientId,
          client_secret: clientSecret,
          redirect_uris: [redirectUri],
          grant_types: ["authorization_code", "refresh_token", "client_credentials"],
          id_token_signed_response_alg: alg,
        },
        ...(page ? [publicClient(page)] : []),
      ],
      clientBasedCORS: (_context, origin) =>
        page !== undefined && origin === new URL(page.redirectUri).origin,
      clientDefaults: { id_token_signed_response_alg: alg },
      enabledJWA: { idTokenSigningAlgValues: [alg] },
      claims: { openid: ["sub"], profile: ["name"], email: ["email", "email_verified"] },
      findAccount: (_context, sub) => ({
        accountId: sub,
        claims: () => ({
          sub,
          name: `${sub} of the provider`,
          email: `${sub}@example.com`,
          email_verified: true,
        }),
      }),
      ...(extraClaims && { extraTokenClaims: () => extraClaims }),
      cookies: { keys: ["a-key-for-cookies"] },
      features: {
        clientCredentials: { enabled: true },
        revocation: { enabled: true, allowedPolicy: () => true },
        resourceIndicators: {
          defaultResource: () => apiAudience,
          useGrantedResource: () => true,
          getResourceServerInfo: () => ({
            scope: "speak",
            audience: apiAudience,
            accessTokenFormat: "jwt",
            accessTokenTTL: accessTokenTtlSeconds,
            jwt: { sign: { alg, kid } },
          }),
        },
      },
      ttl: {
        AccessToken: 3600,
        ClientCredentials: 3600,
        Session: 3600,
        Interaction: 3600,
        Grant: 3600,
        IdToken: 3600,
        RefreshToken: 3600,
      },
    });
  } finally {
    console.warn = quiet;
  }
}

function publicClient({ clientId, redirectUri }: NonNullable<ProviderOptions["page"]>): ClientMetadata {
  return {
    client_id: clientId,
    token_endpoint_auth_method: "none",
    redirect_uris: [redirectUri],
    grant_types: ["authorization_code", "refresh_token"],
  };
}

interface TokenAnswer {
  readonly access_token: string;
  readonly id_token: string;
  readonly refresh_token: string;
}

async function askForTokens(issuer: string, fields: Record<string, string>): Promise<TokenAnswer> {
  const credentials = Buffer.from(`${clientId}:${clientSecret}`).toString("base64");
  const response = await fetch(`${issuer}/token`, {
    method: "POST",
    headers: { authorization: `Basic ${credentials}` },
    body: new URLSearchParams(fields),
  });
  if (response.status !== 200) throw new Error(`no token: ${await response.text()}`);
  return (await response.json()) as TokenAnswer;
}

/** As a browser goes: to the log-in page, to the page that asks for consent, and back to the app with a code. */
async function logIn(issuer: string, sub: string): Promise<LogIn> {
  const cookies = new Map<string, string>();
  const visit = async (url: string, form?: Record<string, string>): Promise<string> => {
    const response = await fetch(url, {
      redirect: "manual",
      headers: { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join("; ") },
      ...(form && { method: "POST", body: new URLSearchParams(form) }),
    });
    for (const cookie of response.headers.getSetCookie()) {
      const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
      cookies.set(name, value);
    }
    const location = response.headers.get("location");
    if (location === null) throw new Error(`not led on: ${response.status} ${await response.text()}`);
    return new URL(location, url).href;
  };
  const query = new URLSearchParams({
    client_id: clientId,
    redirect_uri: redirectUri,
    response_type: "code",
    scope: "openid profile email offline_access speak",
    prompt: "consent",
    nonce: "a-nonce-of-the-app",
    resource: apiAudience,
  });
  const loginPage = await visit(`${issuer}/auth?${query.toString()}`);
  const consentPage = await visit(await visit(loginPage, { prompt: "login", login: sub, password: "any" }));
  const callback = await visit(await visit(consentPage, { prompt: "consent" }));
  const code = new URL(callback).searchParams.get("code") ?? "";
  const tokens = await askForTokens(issuer, {
    grant_type: "authorization_code",
    code,
    redirect_uri: redirectUri,
    resource: apiAudience,
  });
  return {
    accessToken: tokens.access_token,
    idToken: tokens.id_token,
    refreshToken: tokens.refresh_token,
  };
}
