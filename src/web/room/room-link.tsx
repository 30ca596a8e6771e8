/** One room in the list; all of it leads to its captions. */
import { RoomAccess, type Room } from "../../../gen/ts/parley/token/v1/room_pb.ts";
import { hrefOf } from "../routing/route.ts";
import { formatTime } from "../ui/format.ts";
import { Icon } from "../ui/icon.tsx";

export function RoomLink({ room }: { readonly room: Room }) {
  return (
    <li>
      <a class="room-link" href={hrefOf({ view: "room", roomName: room.roomName })}>
        <span class="room-name">{room.roomName}</span>
        <span class="hint">
          {describeAccess(room)} · {formatTime(room.createTime)}
        </span>
        <Icon name="next" />
      </a>
    </li>
  );
}

function describeAccess({ access, members }: Room): string {
  if (access === RoomAccess.OPEN) return "Open to every user";
  if (members.length === 0) return "Only you";
  return `You and ${members.length} ${members.length === 1 ? "member" : "members"}`;
}
