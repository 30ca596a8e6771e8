/** The room RPCs of TokenService. */
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import { RoomAccess } from "../../../../gen/ts/parley/token/v1/room_pb.ts";
import type { RoomMember as ProtoMember } from "../../../../gen/ts/parley/token/v1/room_pb.ts";
import type { TokenService } from "../../../../gen/ts/parley/token/v1/token_pb.ts";
import type { RoomMember, StoredRoom } from "../../../token/rooms/room-store.ts";
import type { Rooms, RoomSettings } from "../../../token/rooms/rooms.ts";
import { requireCaller } from "../../interceptors/credentials.ts";
import { given } from "../optional.ts";
import { readPage } from "../page.ts";
import { userTypeFromProto, userTypeToProto } from "./user-type.ts";

export interface RoomDependencies {
  readonly roomService: Rooms;
}

type RoomMethods = Pick<
  ServiceImpl<typeof TokenService>,
  "createRoom" | "getRoom" | "listRooms" | "updateRoom" | "deleteRoom"
>;

export function roomMethods({ roomService }: RoomDependencies): RoomMethods {
  return {
    async createRoom(request, context) {
      const caller = requireCaller(context, "user", "service");
      const room = await roomService.create(caller, {
        roomName: request.roomName,
        ...given("ownerUserId", request.ownerUserId),
        ...readSettings({ ...request, members: { members: request.members } }),
      });
      return { room: describe(room) };
    },

    async getRoom({ roomName }, context) {
      const caller = requireCaller(context, "user", "service");
      return { room: describe(await roomService.get(caller, roomName)) };
    },

    async listRooms(request, context) {
      const caller = requireCaller(context, "user", "service");
      const page = await roomService.list(caller, readPage(request));
      return { rooms: page.items.map(describe), nextPageToken: page.next ?? "" };
    },

    async updateRoom(request, context) {
      const caller = requireCaller(context, "user", "service");
      const room = await roomService.update(caller, request.roomName, readSettings(request));
      return { room: describe(room) };
    },

    async deleteRoom({ roomName }, context) {
      await roomService.delete(requireCaller(context, "user", "service"), roomName);
      return {};
    },
  };
}

/** What is absent stays absent; an empty list and an empty text are settings. */
function readSettings(request: {
  readonly access?: RoomAccess | undefined;
  readonly members?: { readonly members: readonly ProtoMember[] } | undefined;
  readonly maxParticipants?: number | undefined;
  readonly metadata?: string | undefined;
}): RoomSettings {
  const { access = RoomAccess.UNSPECIFIED, members, maxParticipants, metadata } = request;
  return {
    ...given("access", accessFromProto(access)),
    ...(members && { members: members.members.map(readMember) }),
    ...(maxParticipants !== undefined && { maxParticipants }),
    ...(metadata !== undefined && { metadata }),
  };
}

function readMember({ userId, userType }: ProtoMember): RoomMember {
  return { userId, userType: userTypeFromProto(userType) ?? "guest" };
}

function describe(room: StoredRoom) {
  return {
    roomName: room.roomName,
    ownerUserId: room.ownerUserId,
    access: room.access === "open" ? RoomAccess.OPEN : RoomAccess.INVITED,
    members: room.members.map(({ userId, userType }) => ({ userId, userType: userTypeToProto(userType) })),
    maxParticipants: room.maxParticipants ?? 0,
    metadata: room.metadata ?? "",
    createTime: timestampFromDate(room.createTime),
  };
}

function accessFromProto(access: RoomAccess): StoredRoom["access"] | undefined {
  switch (access) {
    case RoomAccess.OPEN:
      return "open";
    case RoomAccess.INVITED:
      return "invited";
    case RoomAccess.UNSPECIFIED:
      return undefined;
  }
}
