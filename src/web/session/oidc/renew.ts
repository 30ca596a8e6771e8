/** The next access token, for a refresh token; the old refresh token goes on where the provider sends no new one. */
import type { Credential, Renewal } from "../sign-in.ts";
import { requestTokens } from "./token-request.ts";

/** Rejects with SignInError. */
export async function renewCredential(renewal: Renewal): Promise<Credential> {
  const { tokenEndpoint, clientId, resource } = renewal;
  const answer = await requestTokens(tokenEndpoint, {
    grant_type: "refresh_token",
    refresh_token: renewal.refreshToken,
    client_id: clientId,
    ...(resource !== undefined && { resource }),
  });
  return {
    via: "oidc",
    accessToken: answer.accessToken,
    renewal: { ...renewal, refreshToken: answer.refreshToken ?? renewal.refreshToken },
  };
}
