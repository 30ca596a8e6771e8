/** Ends a sign-in: what came back with the user is checked against what was kept, and the code is turned into tokens. */
import { readTokenOwner, TokenTextError } from "../read-claims.ts";
import type { Credential } from "../sign-in.ts";
import { SignInError } from "../sign-in-error.ts";
import { checkIdToken } from "./check-id-token.ts";
import { takeFlow, type Flow, type FlowStorage } from "./flow.ts";
import { requestTokens } from "./token-request.ts";

export interface FinishedSignIn {
  readonly credential: Credential;
  /** The place in the studio where the user was. */
  readonly returnTo: string;
}

/** Whether the address is one that a provider sends users back to. */
export function isReturn(search: string): boolean {
  const parameters = new URLSearchParams(search);
  return parameters.has("state") && (parameters.has("code") || parameters.has("error"));
}

/** Rejects with SignInError. */
export async function finishSignIn(
  search: string,
  { storage, nowMs }: { readonly storage: FlowStorage; readonly nowMs: number },
): Promise<FinishedSignIn> {
  const parameters = new URLSearchParams(search);
  const flow = takeFlow(storage, nowMs);
  if (!flow || parameters.get("state") !== flow.state)
    throw new SignInError(
      "provider",
      "This sign-in was not begun in this tab, or too long ago. Begin again.",
    );
  const { provider } = flow;
  const from = parameters.get("iss");
  if (from !== null && from !== provider.issuer)
    throw new SignInError("provider", "The answer came from another sign-in provider. Begin again.");
  const code = parameters.get("code");
  if (code === null) throw refusalOf(parameters.get("error"));
  const answer = await redeem(code, flow);
  checkIdToken(answer.idToken, { ...provider, nonce: flow.nonce, nowMs });
  checkAccessToken(answer.accessToken);
  const { refreshToken } = answer;
  return {
    returnTo: flow.returnTo,
    credential: {
      via: "oidc",
      accessToken: answer.accessToken,
      ...(refreshToken !== undefined && {
        renewal: {
          refreshToken,
          tokenEndpoint: provider.tokenEndpoint,
          clientId: provider.clientId,
          ...(provider.revocationEndpoint !== undefined && {
            revocationEndpoint: provider.revocationEndpoint,
          }),
          ...(provider.resource !== undefined && { resource: provider.resource }),
        },
      }),
    },
  };
}

function redeem(code: string, { provider, redirectUri, verifier }: Flow) {
  const { resource } = provider;
  return requestTokens(provider.tokenEndpoint, {
    grant_type: "authorization_code",
    code,
    redirect_uri: redirectUri,
    client_id: provider.clientId,
    code_verifier: verifier,
    ...(resource !== undefined && { resource }),
  });
}

function refusalOf(error: string | null): SignInError {
  if (error === "access_denied") return new SignInError("provider", "The sign-in was called off.");
  const reason = error !== null && /^[\w.-]{1,64}$/.test(error) ? ` (${error})` : "";
  return new SignInError("provider", `The sign-in provider refused${reason}.`);
}

function checkAccessToken(accessToken: string): void {
  try {
    readTokenOwner(accessToken);
  } catch (cause) {
    if (!(cause instanceof TokenTextError)) throw cause;
    throw new SignInError(
      "provider",
      "The sign-in provider gave an access token that this server cannot read. It has to be a JWT for the audience in OIDC_AUDIENCE.",
      { cause },
    );
  }
}
