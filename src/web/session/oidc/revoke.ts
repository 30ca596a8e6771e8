/** Takes a refresh token back when somebody signs out (RFC 7009), where the provider has a place for it. */
import type { Renewal } from "../sign-in.ts";

/** Never rejects: what is not taken back lapses by itself, and nobody has it any more. */
export async function revokeRefreshToken(renewal: Renewal): Promise<void> {
  const { revocationEndpoint, clientId, refreshToken } = renewal;
  if (revocationEndpoint === undefined) return;
  const body = new URLSearchParams({
    client_id: clientId,
    token: refreshToken,
    token_type_hint: "refresh_token",
  });
  await fetch(revocationEndpoint, { method: "POST", body, credentials: "omit", keepalive: true }).catch(
    () => undefined,
  );
}
