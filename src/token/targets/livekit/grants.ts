/** What a LiveKit token can grant, named and written as LiveKit's VideoGrant, and what each user type is granted by default. */
import { userTypeRights } from "../../rooms/user-types.ts";
import type { LiveKitSource, UserTypeRights } from "../../rooms/user-types.ts";
import type { UserType } from "../../rooms/room-store.ts";

/** For a service only: they reach beyond what a participant does in a room. */
export const administrativeGrants = [
  "roomCreate",
  "roomList",
  "roomRecord",
  "roomAdmin",
  "hidden",
  "recorder",
  "agent",
  "ingressAdmin",
] as const;
export type AdministrativeGrant = (typeof administrativeGrants)[number];

/** What a participant may do in a room. */
export const participantGrants = [
  "canPublish",
  "canSubscribe",
  "canPublishData",
  "canUpdateOwnMetadata",
] as const;
export type ParticipantGrant = (typeof participantGrants)[number];

export type LiveKitGrants = {
  readonly [grant in "roomJoin" | AdministrativeGrant | ParticipantGrant]?: boolean;
} & {
  readonly room?: string;
  /** Absent: all. */
  readonly canPublishSources?: readonly LiveKitSource[];
  readonly destinationRoom?: string;
};

/** All of their right, but for what must be asked for by name. */
export function grantsOfUserType(
  userType: UserType,
): Omit<UserTypeRights["livekit"], "canUpdateOwnMetadata"> {
  const { canPublish, canSubscribe, canPublishData, canPublishSources } = userTypeRights[userType].livekit;
  return { canPublish, canSubscribe, canPublishData, ...(canPublishSources && { canPublishSources }) };
}
