/** What one sees of a room that is not there, or not for them: the server does not say which. A user can make it. */
import { useState } from "preact/hooks";
import { hrefOf } from "../routing/route.ts";
import { clients, currentUser } from "../session/studio-session.ts";
import { Alert } from "../ui/alert.tsx";
import { Button, ButtonLink } from "../ui/button.tsx";
import { Card } from "../ui/card.tsx";
import { describeError } from "../ui/describe-error.ts";
import { EmptyState } from "../ui/empty-state.tsx";
import { PageHeader } from "../ui/page-header.tsx";

export interface NoSuchRoomProps {
  readonly roomName: string;
  readonly onMade: () => void;
}

export function NoSuchRoom({ roomName, onMade }: NoSuchRoomProps) {
  const [error, setError] = useState("");
  const [busy, setBusy] = useState(false);
  const make = async () => {
    setBusy(true);
    setError("");
    try {
      await clients.tokens.createRoom({ roomName });
      onMade();
    } catch (caught) {
      setError(describeError(caught));
      setBusy(false);
    }
  };
  const mayMake = currentUser.value?.kind === "user";
  return (
    <>
      <PageHeader title={roomName} />
      <Card>
        <EmptyState
          icon="rooms"
          title="No such room, or not for you"
          action={
            <div class="actions">
              {mayMake && (
                <Button kind="primary" icon="plus" busy={busy} onClick={() => void make()}>
                  Make this room
                </Button>
              )}
              <ButtonLink href={hrefOf({ view: "rooms" })}>Other rooms</ButtonLink>
            </div>
          }
        >
          If it is somebody else’s, ask them to add you to its members, or to open it.
        </EmptyState>
        {error !== "" && <Alert kind="danger">{error}</Alert>}
      </Card>
    </>
  );
}
