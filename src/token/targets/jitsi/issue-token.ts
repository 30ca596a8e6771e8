/**
 * Tokens for a Jitsi deployment, and the meeting URL that carries them. Claims as Prosody's token module and the plug-ins
 * around it read them (jitsi-meet, `token/util.lib.lua`; lib-jitsi-meet's `doc/tokens.md`): who moderates is said in each of
 * the places that one of them looks at, and nothing is null, at which some of them throw. Decides nothing: see
 * choose-privileges.ts.
 */
import { signJwt } from "../../jwt/sign-jwt.ts";
import { TokenRequestError } from "../../token-error.ts";
import type { IssuedToken } from "../transcription/issue-token.ts";
import { userTypeRights } from "../../rooms/user-types.ts";
import type { JitsiPrivileges } from "./choose-privileges.ts";
import { isJaas, jitsiAudience } from "./jitsi-settings.ts";
import type { JitsiSettings } from "./jitsi-settings.ts";
import { meetingName } from "./meeting-name.ts";

export interface JitsiTokenRequest {
  readonly roomName: string;
  readonly user: JitsiUser;
  readonly group?: string;
  readonly privileges: JitsiPrivileges;
  /** More keys for the token's `context`, checked by `checkJitsiContext`. */
  readonly context?: Readonly<Record<string, unknown>>;
  readonly ttlSeconds: number;
}

export interface JitsiUser {
  readonly id?: string;
  readonly name?: string;
  readonly email?: string;
  /** URL of a picture. */
  readonly avatar?: string;
}

export interface IssuedJitsiToken extends IssuedToken {
  /** The meeting, with the token in it. */
  readonly url: string;
}

export const jitsiTtlSeconds = 7200;

/** Prosody allows no leeway, and its clock may be behind. In seconds. */
const backdatingSeconds = 10;
const maxContextBytes = 16 * 1024;

/** Parley's to write; `room` would make a pattern of the room's name. */
const ownContextKeys = ["user", "group", "features", "room"];

/** Throws TokenRequestError `invalid` when the room's name cannot be one of Jitsi. */
export function issueJitsiToken(
  request: JitsiTokenRequest,
  settings: JitsiSettings,
  nowMs: number,
): IssuedJitsiToken {
  const now = Math.floor(nowMs / 1000);
  const exp = now + request.ttlSeconds;
  const { moderator } = request.privileges;
  const claims = {
    aud: jitsiAudience,
    iss: settings.appId,
    sub: settings.tenant ?? settings.domain,
    room: meetingName(request.roomName),
    nbf: now - backdatingSeconds,
    exp,
    moderator,
    context: withoutNulls({
      ...request.context,
      user: {
        ...request.user,
        moderator: String(moderator),
        affiliation: moderator ? "owner" : "member",
      },
      group: request.group,
      features: featuresOf(request.privileges, settings),
    }),
  };
  const token = signJwt(claims, settings.key);
  return { token, expireTime: new Date(exp * 1000), url: meetingUrl(request.roomName, token, settings) };
}

/** What of a custom context Parley writes itself. Undefined: nothing. */
export function ownContextKey(context: Readonly<Record<string, unknown>>): string | undefined {
  return ownContextKeys.find((key) => Object.hasOwn(context, key));
}

/** Throws TokenRequestError `invalid`. */
export function checkJitsiContext(context: Readonly<Record<string, unknown>>): void {
  const own = ownContextKey(context);
  if (own !== undefined) throw new TokenRequestError("invalid", `context.${own}: Parley writes it itself`);
  if (Buffer.byteLength(JSON.stringify(context)) > maxContextBytes) {
    throw new TokenRequestError("invalid", `context: expected at most ${maxContextBytes} bytes of JSON`);
  }
}

/** 8x8 takes no token without features. */
function featuresOf({ moderator, features }: JitsiPrivileges, settings: JitsiSettings) {
  if (features || !isJaas(settings)) return features;
  return userTypeRights[moderator ? "host" : "presenter"].jitsi.features;
}

/** Tenants are of letters that need no encoding; so is the token. */
function meetingUrl(roomName: string, token: string, { domain, tenant }: JitsiSettings): string {
  const path = [...(tenant === undefined ? [] : [tenant]), encodeURIComponent(roomName)].join("/");
  return `https://${domain}/${path}?jwt=${token}`;
}

/** The same without members and items that are null or undefined, at any depth. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value))
    return value.filter((item) => item !== null && item !== undefined).map(withoutNulls);
  if (typeof value !== "object" || value === null) return value;
  const members = Object.entries(value).filter(([, member]) => member !== null && member !== undefined);
  return Object.fromEntries(members.map(([name, member]) => [name, withoutNulls(member)]));
}
