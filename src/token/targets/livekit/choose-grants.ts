/**
 * Which grants a LiveKit token gets, of those that were asked for. A service gets what it asks for; a user gets what lies
 * within their right in the room, and is refused, by name, what does not.
 */
import { liveKitSources, userTypeRights } from "../../rooms/user-types.ts";
import type { LiveKitSource } from "../../rooms/user-types.ts";
import type { UserType } from "../../rooms/room-store.ts";
import { ForbiddenError } from "../../token-error.ts";
import { administrativeGrants, grantsOfUserType, participantGrants } from "./grants.ts";
import type { AdministrativeGrant, LiveKitGrants, ParticipantGrant } from "./grants.ts";

/** As CreateLiveKitTokenRequest.permissions has them. Absent ones are not asked for by name. */
export type AskedGrants = {
  readonly [grant in "roomJoin" | AdministrativeGrant | ParticipantGrant]?: boolean | undefined;
} & {
  /** Empty: all. */
  readonly canPublishSources: readonly string[];
  /** Empty: none. */
  readonly destinationRoom: string;
};

export const nothingAsked: AskedGrants = { canPublishSources: [], destinationRoom: "" };

/** What one who joins may do unless something else is asked for. */
const byDefault = { canPublish: true, canSubscribe: true, canPublishData: true } as const;

export function asksToJoin(asked: AskedGrants): boolean {
  return asked.roomJoin ?? true;
}

/** `roomName` may be absent where nothing is asked for that concerns one room. */
export function grantsForService(asked: AskedGrants, roomName: string | undefined): LiveKitGrants {
  const joins = asksToJoin(asked);
  return {
    ...(joins && { roomJoin: true }),
    ...(roomName !== undefined && { room: roomName }),
    ...(joins && byDefault),
    ...askedFor(asked, participantGrants),
    ...askedFor(asked, administrativeGrants),
    ...(asked.canPublishSources.length > 0 && { canPublishSources: sourcesOf(asked) }),
    ...(asked.destinationRoom !== "" && { destinationRoom: asked.destinationRoom }),
  };
}

/**
 * `right`: as what the user may enter the room. Whether they may enter the destination room is the caller's to check. Throws
 * ForbiddenError that names the first grant beyond it.
 */
export function grantsForUser(asked: AskedGrants, roomName: string, right: UserType): LiveKitGrants {
  refuseAdministration(asked);
  const limit = userTypeRights[right].livekit;
  for (const grant of participantGrants) {
    if (asked[grant] && !limit[grant]) throw new ForbiddenError(`${fieldOf(grant)}: ${beyond(right)}`);
  }
  const sources = sourcesOf(asked);
  const allowed = limit.canPublish ? (limit.canPublishSources ?? liveKitSources) : [];
  const forbidden = sources.find((source) => !allowed.includes(source));
  if (forbidden !== undefined) {
    throw new ForbiddenError(`${fieldOf("canPublishSources")}: ${forbidden}: ${beyond(right)}`);
  }
  if (!asksToJoin(asked)) return { room: roomName };
  return {
    roomJoin: true,
    room: roomName,
    ...grantsOfUserType(right),
    ...askedFor(asked, participantGrants),
    ...(sources.length > 0 && { canPublishSources: sources }),
    ...(asked.destinationRoom !== "" && { destinationRoom: asked.destinationRoom }),
  };
}

/** Whatever the room. Throws ForbiddenError that names the first such grant. */
export function refuseAdministration(asked: AskedGrants): void {
  const grant = administrativeGrants.find((candidate) => asked[candidate]);
  if (grant !== undefined) throw new ForbiddenError(`${fieldOf(grant)}: only a service may ask for it`);
}

function askedFor<G extends AdministrativeGrant | ParticipantGrant>(
  asked: AskedGrants,
  grants: readonly G[],
): { readonly [grant in G]?: boolean } {
  const named = grants.filter((grant) => asked[grant] !== undefined);
  return Object.fromEntries(named.map((grant) => [grant, asked[grant]])) as { [grant in G]?: boolean };
}

/** Validation lets only these through. */
function sourcesOf(asked: AskedGrants): readonly LiveKitSource[] {
  return liveKitSources.filter((source) => asked.canPublishSources.includes(source));
}

/** As the proto names it. */
function fieldOf(grant: string): string {
  return `permissions.${grant.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}`;
}

function beyond(right: UserType): string {
  return `you may enter this room as ${right.toUpperCase()} at most, who may not`;
}
