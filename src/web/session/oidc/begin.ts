/** Begins a sign-in: authorization code with PKCE, as a public client (RFC 9700). */
import { keepFlow, type FlowStorage } from "./flow.ts";
import { discoverProvider, type ProviderSettings } from "./provider.ts";

export interface BeginOptions {
  /** Where the provider sends the user back to, registered there. */
  readonly redirectUri: string;
  readonly returnTo: string;
  readonly storage: FlowStorage;
  readonly nowMs: number;
}

/** The address to send the user to. Needs a secure context. Rejects with SignInError. */
export async function beginSignIn(settings: ProviderSettings, options: BeginOptions): Promise<string> {
  const { redirectUri, returnTo, storage, nowMs } = options;
  const provider = await discoverProvider(settings);
  const [state, nonce, verifier] = [randomText(), randomText(), randomText()];
  keepFlow({ provider, redirectUri, state, nonce, verifier, returnTo, begunAtMs: nowMs }, storage);
  const { resource } = settings;
  const url = new URL(provider.authorizationEndpoint);
  const parameters = {
    response_type: "code",
    client_id: settings.clientId,
    redirect_uri: redirectUri,
    scope: settings.scopes,
    state,
    nonce,
    code_challenge: await challengeOf(verifier),
    code_challenge_method: "S256",
    // The standard's name for whom the token is to be for (RFC 8707), and the older one that Auth0 reads.
    ...(resource !== undefined && { resource, audience: resource }),
    // Without it a provider may keep refresh tokens back (OpenID Connect Core, section 11).
    ...(settings.scopes.split(" ").includes("offline_access") && { prompt: "consent" }),
  };
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  return url.href;
}

function randomText(): string {
  return base64url(crypto.getRandomValues(new Uint8Array(32)));
}

async function challengeOf(verifier: string): Promise<string> {
  return base64url(new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier))));
}

function base64url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
}
