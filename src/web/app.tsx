/** The frame of the studio: the bar on top, and the view that the address names. */
import { currentRoute } from "./routing/current-route.ts";
import { hrefOf, type Route } from "./routing/route.ts";
import { RecordView } from "./record/record-view.tsx";
import { ReportView } from "./report/report-view.tsx";
import { RoomView } from "./room/room-view.tsx";
import { RoomsView } from "./room/rooms-view.tsx";
import { SessionsView } from "./sessions/sessions-view.tsx";
import { PageHeader } from "./ui/page-header.tsx";

export function App() {
  const route = currentRoute.value;
  return (
    <>
      <TopBar route={route} />
      <main id="main" tabIndex={-1}>
        <View route={route} />
      </main>
    </>
  );
}

function TopBar({ route }: { readonly route: Route }) {
  const places = [
    { label: "Record", view: "record", here: route.view === "record" },
    { label: "Sessions", view: "sessions", here: route.view === "sessions" || route.view === "report" },
    { label: "Rooms", view: "rooms", here: route.view === "rooms" || route.view === "room" },
  ] as const;
  return (
    <header class="top-bar">
      <a class="brand" href={hrefOf({ view: "record" })}>
        Parley
      </a>
      <nav aria-label="Studio">
        {places.map(({ label, view, here }) => (
          <a key={view} href={hrefOf({ view })} aria-current={here ? "page" : undefined}>
            {label}
          </a>
        ))}
      </nav>
    </header>
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
      return <PageHeader title="Nothing here" lead="This address leads nowhere in the studio." />;
  }
}
