/** Who calls: what a good credential amounts to. */
import type { ApiKeyScope } from "./api-keys/api-key-store.ts";
import type { UserType } from "./rooms/room-store.ts";

export type Caller = UserCaller | ParticipantCaller | ServiceCaller;

/** A person who is logged in. */
export interface UserCaller {
  readonly kind: "user";
  readonly userId: string;
  /** Who says that they are logged in, and the name by which the issuer knows them. */
  readonly issuer: string;
  readonly subject: string;
  readonly displayName?: string;
  /** As the login says it. */
  readonly email?: string;
  readonly expireTime: Date;
}

/** A person in one room, under one identity. */
export interface ParticipantCaller {
  readonly kind: "participant";
  readonly userId: string;
  readonly roomName: string;
  readonly participantIdentity: string;
  readonly userType: UserType;
  readonly tokenId: string;
  /** What all tokens have in common that were made with one refresh token, or with those that followed on it. */
  readonly familyId?: string;
  /** The earliest moment at which the token can have been issued; 1970 when it does not say. */
  readonly issueTime: Date;
  readonly expireTime: Date;
}

/** A program with an API key. With scope `admin` it is an admin. */
export interface ServiceCaller {
  readonly kind: "service";
  readonly apiKeyId: string;
  readonly scopes: ReadonlySet<ApiKeyScope>;
  /** Absent: never. */
  readonly expireTime?: Date;
}

/** For logs, limits and the audit log: the kind of credential and whose it is. No secret. */
export function nameCaller(caller: Caller): string {
  return caller.kind === "service" ? `service:${caller.apiKeyId}` : `${caller.kind}:${caller.userId}`;
}
