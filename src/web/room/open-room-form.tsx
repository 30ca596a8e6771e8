/** Leads to a room by its name. */
import { useState } from "preact/hooks";
import { goTo } from "../routing/current-route.ts";
import { Button } from "../ui/button.tsx";
import { RoomNameField } from "./room-name-field.tsx";
import { roomNameProblem } from "./room-name-problem.ts";

export function OpenRoomForm() {
  const [name, setName] = useState("");
  const [error, setError] = useState("");
  const onSubmit = (event: Event) => {
    event.preventDefault();
    const problem = roomNameProblem(name);
    setError(problem ?? "");
    if (problem === undefined) goTo({ view: "room", roomName: name.trim() });
  };
  return (
    <form class="stack tight" onSubmit={onSubmit} noValidate>
      <RoomNameField label="Room name" error={error} name={name} onName={setName} />
      <div class="actions">
        <Button type="submit" kind="primary">
          Watch
        </Button>
      </div>
    </form>
  );
}
