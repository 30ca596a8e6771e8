/** Past sessions, and what came of them over time. */
import { useEffect, useMemo } from "preact/hooks";
import type { Session } from "../../../gen/ts/parley/transcription/v1/transcription_pb.ts";
import { hrefOf } from "../routing/route.ts";
import { clients, currentUser } from "../session/studio-session.ts";
import { ButtonLink } from "../ui/button.tsx";
import { Card } from "../ui/card.tsx";
import { EmptyState } from "../ui/empty-state.tsx";
import { MoreButton } from "../ui/more-button.tsx";
import { PageHeader } from "../ui/page-header.tsx";
import { createPagedList } from "../ui/paged-list.ts";
import { Progress } from "./progress.tsx";
import { SessionRow } from "./session-row.tsx";
import "./sessions.css";

const pageSize = 20;

export function SessionsView() {
  if (currentUser.value?.kind === "participant")
    return <OnlyForUsers roomName={currentUser.value.roomName} />;
  return <OwnSessions />;
}

function OwnSessions() {
  const sessions = useMemo(() => createPagedList<Session>(fetchSessions), []);
  useEffect(() => void sessions.more(), []);
  const state = sessions.state.value;
  const isEmpty = state.status === "ready" && state.items.length === 0;
  const toRecord = (
    <ButtonLink kind="primary" icon="microphone" href={hrefOf({ view: "record" })}>
      {isEmpty ? "Record the first" : "New session"}
    </ButtonLink>
  );
  if (isEmpty) {
    return (
      <>
        <PageHeader title="Sessions" />
        <Card>
          <EmptyState icon="sessions" title="Nothing recorded yet" action={toRecord}>
            Each session that you record stays here, with its words and its report, and over several of them
            you see what changes.
          </EmptyState>
        </Card>
      </>
    );
  }
  return (
    <>
      <PageHeader title="Sessions" actions={toRecord} />
      <div class="stack">
        {state.items.length > 0 && <Progress />}
        <Card title="All sessions">
          <ol class="sessions" role="list">
            {state.items.map((session) => (
              <SessionRow key={session.sessionId} session={session} />
            ))}
          </ol>
          <MoreButton state={state} onMore={() => void sessions.more()} what="sessions" />
        </Card>
      </div>
    </>
  );
}

function OnlyForUsers({ roomName }: { readonly roomName: string }) {
  return (
    <>
      <PageHeader title="Sessions" />
      <Card>
        <EmptyState
          icon="key"
          title="For signed-in users"
          action={<ButtonLink href={hrefOf({ view: "record" })}>Record in {roomName}</ButtonLink>}
        >
          Your token records and watches in one room. To see past sessions, sign out and sign in as the user
          whose they are.
        </EmptyState>
      </Card>
    </>
  );
}

async function fetchSessions(pageToken: string) {
  const { sessions, nextPageToken } = await clients.transcription.listSessions({ pageSize, pageToken });
  return { items: sessions, nextPageToken };
}
