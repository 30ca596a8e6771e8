/** An OpenID provider as the page needs to know it: its discovery document, checked (OpenID Connect Discovery 1.0). */
import { SignInError } from "../sign-in-error.ts";

/** What the server says of it. */
export interface ProviderSettings {
  readonly issuer: string;
  readonly clientId: string;
  readonly scopes: string;
  /** Whom the access token has to be for. */
  readonly resource?: string;
}

export interface Provider extends ProviderSettings {
  readonly authorizationEndpoint: string;
  readonly tokenEndpoint: string;
  readonly revocationEndpoint?: string;
}

/** Rejects with SignInError `provider`. */
export async function discoverProvider(settings: ProviderSettings): Promise<Provider> {
  const url = `${settings.issuer.replace(/\/$/, "")}/.well-known/openid-configuration`;
  const response = await fetch(url, { credentials: "omit", redirect: "error" }).catch((cause: unknown) => {
    throw new SignInError(
      "provider",
      "The sign-in provider cannot be reached, or does not let this page ask it.",
      { retryable: true, cause },
    );
  });
  const document = (await response.json().catch(() => null)) as Readonly<Record<string, unknown>> | null;
  if (!response.ok || document?.["issuer"] !== settings.issuer)
    throw new SignInError("provider", "The sign-in provider does not describe itself as it should.");
  const revocationEndpoint = readEndpoint(document, "revocation_endpoint", settings.issuer);
  return {
    ...settings,
    authorizationEndpoint: requireEndpoint(document, "authorization_endpoint", settings.issuer),
    tokenEndpoint: requireEndpoint(document, "token_endpoint", settings.issuer),
    ...(revocationEndpoint !== undefined && { revocationEndpoint }),
  };
}

function requireEndpoint(document: Readonly<Record<string, unknown>>, name: string, issuer: string): string {
  const endpoint = readEndpoint(document, name, issuer);
  if (endpoint !== undefined) return endpoint;
  throw new SignInError("provider", `The sign-in provider names no ${name} that can be used.`);
}

/** Over https, unless the issuer itself is not. */
function readEndpoint(
  document: Readonly<Record<string, unknown>>,
  name: string,
  issuer: string,
): string | undefined {
  const value = document[name];
  const protocol = typeof value === "string" ? URL.parse(value)?.protocol : undefined;
  const isUsable = protocol === "https:" || (protocol === "http:" && issuer.startsWith("http:"));
  return isUsable ? (value as string) : undefined;
}
