/** Makes a room of the user's own. */
import { useState } from "preact/hooks";
import { RoomAccess, type Room } from "../../../gen/ts/parley/token/v1/room_pb.ts";
import { clients } from "../session/studio-session.ts";
import { announce } from "../ui/announcer.tsx";
import { Button } from "../ui/button.tsx";
import { describeError } from "../ui/describe-error.ts";
import { RoomNameField } from "./room-name-field.tsx";
import { roomNameProblem } from "./room-name-problem.ts";

export function NewRoomForm({ onMade }: { readonly onMade: (room: Room) => void }) {
  const [name, setName] = useState("");
  const [access, setAccess] = useState<RoomAccess>(RoomAccess.INVITED);
  const [error, setError] = useState("");
  const [busy, setBusy] = useState(false);
  const onSubmit = async (event: Event) => {
    event.preventDefault();
    const problem = roomNameProblem(name);
    setError(problem ?? "");
    if (problem !== undefined) return;
    setBusy(true);
    try {
      const { room } = await clients.tokens.createRoom({ roomName: name.trim(), access });
      if (room) onMade(room);
      announce(`The room ${name.trim()} is made.`);
      setName("");
    } catch (caught) {
      setError(describeError(caught));
    }
    setBusy(false);
  };
  const choices = [
    { value: RoomAccess.INVITED, label: "Only you and those you add" },
    { value: RoomAccess.OPEN, label: "Every user of this server" },
  ];
  return (
    <form class="stack tight" onSubmit={(event) => void onSubmit(event)} noValidate>
      <RoomNameField label="Name of the new room" error={error} name={name} onName={setName} />
      <fieldset class="choices">
        <legend>Who may enter</legend>
        {choices.map(({ value, label }) => (
          <label key={value}>
            <input type="radio" name="access" checked={access === value} onChange={() => setAccess(value)} />
            {label}
          </label>
        ))}
      </fieldset>
      <div class="actions">
        <Button type="submit" icon="plus" busy={busy}>
          Make room
        </Button>
      </div>
    </form>
  );
}
