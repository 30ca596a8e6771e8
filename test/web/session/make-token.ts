/** A token as the page sees one: claims that it reads, and a signature that it does not. */
export function makeToken(claims: Record<string, unknown>): string {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
  return `${part({ alg: "HS256", typ: "JWT" })}.${part(claims)}.c2lnbmF0dXJl`;
}

export const userToken = (claims: Record<string, unknown> = {}) =>
  makeToken({ sub: "ada", aud: "parley", ...claims });

export const participantToken = (claims: Record<string, unknown> = {}) =>
  makeToken({
    userId: "ada",
    roomName: "talk",
    participantIdentity: "ada",
    userType: "GUEST",
    aud: "transcription-service",
    ...claims,
  });
