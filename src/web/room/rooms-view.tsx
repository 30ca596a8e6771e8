/** The rooms that one may watch: any by its name, and one's own to pick from. */
import { useEffect, useMemo } from "preact/hooks";
import type { Room } from "../../../gen/ts/parley/token/v1/room_pb.ts";
import { hrefOf } from "../routing/route.ts";
import { clients, currentUser } from "../session/studio-session.ts";
import { ButtonLink } from "../ui/button.tsx";
import { Card } from "../ui/card.tsx";
import { EmptyState } from "../ui/empty-state.tsx";
import { MoreButton } from "../ui/more-button.tsx";
import { PageHeader } from "../ui/page-header.tsx";
import { createPagedList } from "../ui/paged-list.ts";
import { NewRoomForm } from "./new-room-form.tsx";
import { OpenRoomForm } from "./open-room-form.tsx";
import { RoomLink } from "./room-link.tsx";
import "./room.css";

const pageSize = 20;
const lead = "Follow what everybody in a room says, as they say it.";

export function RoomsView() {
  const user = currentUser.value;
  if (user?.kind === "participant") {
    return (
      <>
        <PageHeader title="Rooms" lead={lead} />
        <Card>
          <EmptyState
            icon="rooms"
            title={user.roomName}
            action={
              <ButtonLink kind="primary" href={hrefOf({ view: "room", roomName: user.roomName })}>
                Watch this room
              </ButtonLink>
            }
          >
            Your token opens this room.
          </EmptyState>
        </Card>
      </>
    );
  }
  return <OwnRooms />;
}

function OwnRooms() {
  const rooms = useMemo(() => createPagedList<Room>(fetchRooms), []);
  useEffect(() => void rooms.more(), []);
  const state = rooms.state.value;
  const isEmpty = state.status === "ready" && state.items.length === 0;
  return (
    <>
      <PageHeader title="Rooms" lead={lead} />
      <div class="split">
        <Card title="Your rooms" lead="The newest first.">
          {isEmpty ? (
            <p class="soft">
              You own none yet. A recording makes one of its own; here you can make one to share.
            </p>
          ) : (
            <ul class="rooms" role="list">
              {state.items.map((room) => (
                <RoomLink key={room.roomName} room={room} />
              ))}
            </ul>
          )}
          <MoreButton state={state} onMore={() => void rooms.more()} what="rooms" />
        </Card>
        <div class="stack">
          <Card title="Open by name">
            <OpenRoomForm />
          </Card>
          <Card title="Make a room">
            <NewRoomForm onMade={(room) => rooms.prepend(room)} />
          </Card>
        </div>
      </div>
    </>
  );
}

async function fetchRooms(pageToken: string) {
  const { rooms, nextPageToken } = await clients.tokens.listRooms({ pageSize, pageToken });
  return { items: rooms, nextPageToken };
}
