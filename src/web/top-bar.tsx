/** The bar on top: where one is, where one can go, and who one is. */
import { currentRecording } from "./record/current-recording.ts";
import { hrefOf, type Route } from "./routing/route.ts";
import type { CurrentUser } from "./session/sign-in.ts";
import { Button } from "./ui/button.tsx";

export interface TopBarProps {
  readonly route: Route;
  readonly user: CurrentUser | undefined;
  readonly onSignOut: () => void;
}

export function TopBar({ route, user, onSignOut }: TopBarProps) {
  return (
    <header class="top-bar">
      <a class="brand" href={hrefOf({ view: "record" })}>
        <Mark />
        Parley
      </a>
      {user && <Places route={route} />}
      {user && (
        <div class="who">
          <span class="who-name" title={user.userId}>
            <span class="visually-hidden">Signed in as </span>
            {user.displayName}
          </span>
          <Button kind="quiet" size="small" icon="signOut" onClick={onSignOut}>
            Sign out
          </Button>
        </div>
      )}
    </header>
  );
}

function Places({ route }: { readonly route: Route }) {
  const isRecording = currentRecording.value?.phase.value.name === "recording";
  const places = [
    { label: "Record", view: "record", here: route.view === "record" },
    { label: "Sessions", view: "sessions", here: route.view === "sessions" || route.view === "report" },
    { label: "Rooms", view: "rooms", here: route.view === "rooms" || route.view === "room" },
  ] as const;
  return (
    <nav aria-label="Studio">
      {places.map(({ label, view, here }) => (
        <a key={view} href={hrefOf({ view })} aria-current={here ? "page" : undefined}>
          {label}
          {view === "record" && !here && isRecording && (
            <span class="recording-mark">
              <span class="visually-hidden">, recording now</span>
            </span>
          )}
        </a>
      ))}
    </nav>
  );
}

/** The same as icon.svg. */
function Mark() {
  return (
    <svg class="mark" viewBox="0 0 32 32" aria-hidden="true">
      <rect width="32" height="32" rx="8" />
      <path d="M8 13.5v5M12 10v12M16 7v18M20 11.5v9M24 14v4" />
    </svg>
  );
}
