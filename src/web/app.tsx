/** The frame of the studio: the bar on top, and the view that the address names, or the way in for who is not signed in. */
import { useState } from "preact/hooks";
import { currentRoute } from "./routing/current-route.ts";
import { hrefOf, type Route } from "./routing/route.ts";
import { RecordView } from "./record/record-view.tsx";
import { ReportView } from "./report/report-view.tsx";
import { RoomView } from "./room/room-view.tsx";
import { RoomsView } from "./room/rooms-view.tsx";
import { currentUser, signIn } from "./session/studio-session.ts";
import { SessionsView } from "./sessions/sessions-view.tsx";
import { SignInPanel } from "./sign-in/sign-in-panel.tsx";
import { SignInView } from "./sign-in/sign-in-view.tsx";
import { TopBar } from "./top-bar.tsx";
import { Alert } from "./ui/alert.tsx";
import { Announcer } from "./ui/announcer.tsx";
import { Button, ButtonLink } from "./ui/button.tsx";
import { EmptyState } from "./ui/empty-state.tsx";
import { PageHeader } from "./ui/page-header.tsx";

/** `signInProblem`: why a sign-in that was begun did not end well. */
export function App({ signInProblem }: { readonly signInProblem: string | undefined }) {
  const route = currentRoute.value;
  const user = currentUser.value;
  return (
    <>
      <a
        class="skip-link"
        href="#main"
        onClick={(event) => {
          event.preventDefault(); // addresses behind # are places of the studio
          document.getElementById("main")?.focus();
        }}
      >
        Skip to content
      </a>
      <TopBar route={route} user={user} onSignOut={() => signIn.signOut()} />
      {signIn.hasExpired.value && <SignInAgain />}
      <main id="main" tabIndex={-1}>
        {user ? <View key={user.userId} route={route} /> : <SignInView problem={signInProblem} />}
      </main>
      <Announcer />
    </>
  );
}

/** Above the view, which goes on with what it does. */
function SignInAgain() {
  const [isOpen, setIsOpen] = useState(false);
  return (
    <section class="page-banner stack tight" aria-label="Your sign-in has expired">
      <Alert
        kind="warning"
        title="Your sign-in has expired."
        actions={
          <Button size="small" aria-expanded={isOpen} onClick={() => setIsOpen(!isOpen)}>
            Sign in again
          </Button>
        }
      >
        What you see stays as it is.
      </Alert>
      {isOpen && (
        <div class="card">
          <SignInPanel />
        </div>
      )}
    </section>
  );
}

function View({ route }: { readonly route: Route }) {
  switch (route.view) {
    case "record":
      return <RecordView />;
    case "sessions":
      return <SessionsView />;
    case "report":
      return <ReportView key={route.sessionId} sessionId={route.sessionId} />;
    case "rooms":
      return <RoomsView />;
    case "room":
      return <RoomView key={route.roomName} roomName={route.roomName} />;
    case "unknown":
      return (
        <>
          <PageHeader title="Nothing here" />
          <EmptyState
            icon="info"
            title="This address leads nowhere in the studio."
            action={
              <ButtonLink kind="primary" href={hrefOf({ view: "record" })}>
                Go to recording
              </ButtonLink>
            }
          />
        </>
      );
  }
}
