/**
 * Whether a Jitsi token makes a moderator, and which features it lists, of what was asked for. A service gets what it asks for;
 * a user gets what lies within their right in the room, and is refused, by name, what does not.
 */
import { userTypeRights } from "../../rooms/user-types.ts";
import type { UserType } from "../../rooms/room-store.ts";
import { ForbiddenError } from "../../token-error.ts";
import { isJitsiFeature, jitsiFeatures } from "./features.ts";

export interface JitsiPrivileges {
  readonly moderator: boolean;
  /** As they go into the token. Absent: what Jitsi gives by itself. */
  readonly features?: Readonly<Record<string, boolean>>;
}

export interface AskedPrivileges {
  /** Absent: not asked for. */
  readonly moderator?: boolean;
  /** Empty: none is asked for by name. */
  readonly features: Readonly<Record<string, boolean>>;
}

export function privilegesForService({ moderator = false, features }: AskedPrivileges): JitsiPrivileges {
  return { moderator, ...(Object.keys(features).length > 0 && { features }) };
}

/** `right`: as what the user may enter the room. Throws ForbiddenError that names the first privilege beyond it. */
export function privilegesForUser(
  { moderator = false, features }: AskedPrivileges,
  right: UserType,
): JitsiPrivileges {
  const limit = userTypeRights[right].jitsi;
  if (moderator && !limit.moderator) throw new ForbiddenError(`moderator: ${beyond(right)}`);
  for (const [name, wanted] of Object.entries(features)) {
    if (!wanted) continue;
    // An unknown one may be one that a Jitsi server knows. The name is the caller's own word, which is not told back.
    if (!isJitsiFeature(name))
      throw new ForbiddenError(`features: a user may ask only for ${jitsiFeatures.join(", ")}`);
    if (!limit.features[name]) throw new ForbiddenError(`features.${name}: ${beyond(right)}`);
  }
  return { moderator, ...privilegesOfUserType(right, features) };
}

/**
 * Without features in the token, whoever becomes a moderator has all of them, and where no plug-in reads who is one, that is
 * the first to come. So what the right lacks is denied by name.
 */
function privilegesOfUserType(
  right: UserType,
  asked: AskedPrivileges["features"],
): Pick<JitsiPrivileges, "features"> {
  const limit = userTypeRights[right].jitsi.features;
  const isAsked = Object.keys(asked).length > 0;
  const denied = jitsiFeatures.filter((feature) => !limit[feature]);
  if (!isAsked) return denied.length === 0 ? {} : { features: limit };
  return { features: { ...asked, ...Object.fromEntries(denied.map((feature) => [feature, false])) } };
}

/** All of the right; what a participant has who asked for nothing. A service may give somebody who is a host less than that. */
export function privilegesOf(userType: UserType): JitsiPrivileges {
  return { moderator: userTypeRights[userType].jitsi.moderator, ...privilegesOfUserType(userType, {}) };
}

function beyond(right: UserType): string {
  return `you may enter this room as ${right.toUpperCase()} at most, who has it not`;
}
