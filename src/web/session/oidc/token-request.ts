/** Asks a token endpoint as a public client: no secret, only what proves the flow. RFC 6749, sections 4.1.3 and 6. */
import { SignInError } from "../sign-in-error.ts";

export interface TokenAnswer {
  readonly accessToken: string;
  readonly idToken?: string;
  /** Absent: the provider gave none, or the old one goes on. */
  readonly refreshToken?: string;
}

/** Rejects with SignInError `provider`, retryable when the provider did not answer at all or said that it is busy. */
export async function requestTokens(
  tokenEndpoint: string,
  fields: Readonly<Record<string, string>>,
): Promise<TokenAnswer> {
  const response = await fetch(tokenEndpoint, {
    method: "POST",
    body: new URLSearchParams(fields),
    headers: { accept: "application/json" },
    credentials: "omit",
    redirect: "error",
    cache: "no-store",
  }).catch((cause: unknown) => {
    throw new SignInError("provider", "The sign-in provider cannot be reached.", { retryable: true, cause });
  });
  const body = (await response.json().catch(() => ({}))) as Readonly<Record<string, unknown>> | null;
  if (!response.ok) {
    const reason =
      typeof body?.["error"] === "string" && /^[\w.-]{1,64}$/.test(body["error"]) ? body["error"] : "";
    throw new SignInError("provider", `The sign-in provider gave no token (${reason || response.status}).`, {
      retryable: response.status >= 500 || response.status === 429,
    });
  }
  const { access_token: accessToken, id_token: idToken, refresh_token: refreshToken } = body ?? {};
  if (typeof accessToken !== "string")
    throw new SignInError("provider", "The sign-in provider answered without a token.");
  return {
    accessToken,
    ...(typeof idToken === "string" && { idToken }),
    ...(typeof refreshToken === "string" && { refreshToken }),
  };
}
