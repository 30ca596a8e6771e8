/**
 * Whose token somebody pasted, read from its claims, so that the page can name them. Nothing is verified here: the server does
 * that at each call, and what the page shows of a forged token is the forger's own lie.
 */

export type TokenOwner =
  | {
      readonly kind: "user";
      readonly userId: string;
      /** As the login names them, or the id. */
      readonly displayName: string;
      readonly expireTime?: Date;
    }
  | {
      /** May record and watch in one room, and list nothing. */
      readonly kind: "participant";
      readonly userId: string;
      readonly displayName: string;
      readonly roomName: string;
      readonly participantIdentity: string;
      /** False for one who only watches. */
      readonly maySpeak: boolean;
      readonly expireTime?: Date;
    };

/** What is wrong with a pasted text, in words for whoever pasted it. */
export class TokenTextError extends Error {
  override readonly name = "TokenTextError";
}

/** `audience` of refresh tokens, which open nothing. */
const refreshAudience = "parley-refresh";

/** Throws TokenTextError. */
export function readTokenOwner(token: string): TokenOwner {
  if (token === "") throw new TokenTextError("Paste a token first.");
  if (/^pk_/.test(token)) {
    throw new TokenTextError(
      "That is an API key. It belongs on a server: use it there to make a user token, and paste that.",
    );
  }
  const claims = decodeClaims(token);
  if (!claims) throw new TokenTextError("That is not a token: one has three parts with dots between them.");
  const { sub, name, userId, roomName, participantIdentity, userType, exp, aud } = claims;
  if (aud === refreshAudience)
    throw new TokenTextError("That is a refresh token. Paste the user token or the transcription token.");
  const expires = typeof exp === "number" ? { expireTime: new Date(exp * 1000) } : {};
  if (isText(userId) && isText(roomName) && isText(participantIdentity)) {
    const maySpeak = !isText(userType) || userType.toUpperCase() !== "VIEWER";
    const displayName = participantIdentity;
    return { kind: "participant", userId, displayName, roomName, participantIdentity, maySpeak, ...expires };
  }
  if (isText(sub)) return { kind: "user", userId: sub, displayName: isText(name) ? name : sub, ...expires };
  throw new TokenTextError(
    "That token is for another server. Paste a user token or a transcription token of this one.",
  );
}

/** The claims of a token in compact form; undefined for what is none. */
export function decodeClaims(token: string): Readonly<Record<string, unknown>> | undefined {
  const [, payload, signature, ...rest] = token.split(".");
  if (payload === undefined || signature === undefined || rest.length > 0) return undefined;
  try {
    const base64 = payload.replaceAll("-", "+").replaceAll("_", "/");
    const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
    const claims: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    return typeof claims === "object" && claims !== null ? (claims as Record<string, unknown>) : undefined;
  } catch {
    return undefined; // not base64, not UTF-8 or not JSON: no token either way
  }
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}
