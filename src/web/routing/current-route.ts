/** The place that the studio shows, as a signal that follows the address. */
import { signal, type ReadonlySignal } from "@preact/signals";
import { hrefOf, readRoute, type Route } from "./route.ts";

const route = signal<Route>(readRoute(location.hash));
addEventListener("hashchange", () => {
  route.value = readRoute(location.hash);
});

export const currentRoute: ReadonlySignal<Route> = route;

/** Goes to a place; `replace` leaves no step to go back to. Default: it leaves one. */
export function goTo(place: Parameters<typeof hrefOf>[0], options: { replace?: boolean } = {}): void {
  const href = hrefOf(place);
  if (options.replace === true) {
    history.replaceState(null, "", href);
    route.value = readRoute(href);
  } else location.hash = href;
}
