/** User types between proto and domain. */
import { UserType as ProtoUserType } from "../../../../gen/ts/parley/token/v1/room_pb.ts";
import type { UserType } from "../../../token/rooms/room-store.ts";

const toProto: Readonly<Record<UserType, ProtoUserType>> = {
  host: ProtoUserType.HOST,
  presenter: ProtoUserType.PRESENTER,
  guest: ProtoUserType.GUEST,
  viewer: ProtoUserType.VIEWER,
};

export function userTypeToProto(userType: UserType): ProtoUserType {
  return toProto[userType];
}

/** Undefined for UNSPECIFIED. */
export function userTypeFromProto(value: ProtoUserType): UserType | undefined {
  return (Object.keys(toProto) as UserType[]).find((userType) => toProto[userType] === value);
}
