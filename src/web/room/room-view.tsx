/** The live captions of everybody in a room, from its beginning, for as long as the page is open. */
import { signal } from "@preact/signals";
import { Code, ConnectError } from "@connectrpc/connect";
import { useEffect, useMemo, useState } from "preact/hooks";
import { hrefOf } from "../routing/route.ts";
import { currentUser, watchClient } from "../session/studio-session.ts";
import { Alert } from "../ui/alert.tsx";
import { Button, ButtonLink } from "../ui/button.tsx";
import { Card } from "../ui/card.tsx";
import { describeError } from "../ui/describe-error.ts";
import { EmptyState } from "../ui/empty-state.tsx";
import { Loading } from "../ui/loading.tsx";
import { PageHeader } from "../ui/page-header.tsx";
import { VirtualList } from "../ui/virtual-list.tsx";
import { ConnectionBadge } from "./connection-badge.tsx";
import { NoSuchRoom } from "./no-such-room.tsx";
import { Participants } from "./participants.tsx";
import { ReadAloud } from "./read-aloud.tsx";
import { RoomCaption } from "./room-caption.tsx";
import { RoomCaptions, type RoomRow } from "./room-captions.ts";
import { waitForNetwork, whileOnline } from "./wait-for-network.ts";
import { watchRoom, type WatchState } from "./watch-room.ts";
import "./room.css";

interface Connection {
  readonly state: WatchState;
  readonly error?: unknown;
}

/** A stream that is not refused within so long is taken for open, in milliseconds. */
const settleMs = 1_500;

export function RoomView({ roomName }: { readonly roomName: string }) {
  const captions = useMemo(() => new RoomCaptions(), []);
  const connection = useMemo(() => signal<Connection>({ state: "connecting" }), []);
  const [attempt, setAttempt] = useState(0);
  useEffect(() => {
    const leaving = new AbortController();
    void watchRoom({
      client: watchClient,
      roomName,
      onEvent: (event) => captions.take(event),
      onState(state, error) {
        if (state === "reconnecting") captions.forgetInterims();
        connection.value = { state, error };
      },
      onRestart: () => captions.clear(),
      signal: leaving.signal,
      wait: waitForNetwork,
      settle: (signal) => waitForNetwork(settleMs, signal),
      whileOnline,
    });
    return () => leaving.abort();
  }, [attempt]);

  const again = () => {
    captions.clear();
    setAttempt(attempt + 1);
  };
  const { state, error } = connection.value;
  if (state === "failed" && isNotFound(error)) return <NoSuchRoom roomName={roomName} onMade={again} />;
  return (
    <>
      <PageHeader
        title={roomName}
        actions={
          <>
            <ConnectionBadge state={state} />
            {currentUser.value?.kind === "user" && (
              <ButtonLink icon="back" kind="quiet" href={hrefOf({ view: "rooms" })}>
                All rooms
              </ButtonLink>
            )}
          </>
        }
      />
      <div class="room">
        <div class="stack">
          {state === "failed" && (
            <Alert
              kind="danger"
              title="This room cannot be watched."
              actions={
                <Button size="small" onClick={again}>
                  Try again
                </Button>
              }
            >
              {describeError(error)}
            </Alert>
          )}
          <Words rows={captions.rows.value} state={state} />
        </div>
        <aside class="stack" aria-label="About this room">
          <Card title="Speakers">
            <Participants people={captions.participants.value} />
          </Card>
          <ReadAloud captions={captions} />
        </aside>
      </div>
    </>
  );
}

function Words({ rows, state }: { readonly rows: readonly RoomRow[]; readonly state: WatchState }) {
  if (rows.length === 0) {
    return (
      <Card>
        {state === "live" ? (
          <EmptyState icon="rooms" title="Nobody has spoken yet">
            Keep this page open: what is said in the room appears here as it is said.
          </EmptyState>
        ) : (
          <Loading>Waiting for the room…</Loading>
        )}
      </Card>
    );
  }
  return (
    <Card class="room-words-card">
      <VirtualList
        label="Captions of the room"
        rows={rows}
        keyOf={({ key }) => key}
        estimateHeight={({ text, beginsTurn }) =>
          30 * Math.ceil((text.length + 1) / 60) + (beginsTurn ? 44 : 8)
        }
        followsEnd
      >
        {(row) => <RoomCaption row={row} />}
      </VirtualList>
    </Card>
  );
}

function isNotFound(error: unknown): boolean {
  return error instanceof ConnectError && error.code === Code.NotFound;
}
