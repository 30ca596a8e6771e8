/**
 * The places of the studio, as the part of the address behind `#`: read and written here alone. The server knows one page, so
 * that no path of it can be taken for a place, and names in it are never sent anywhere.
 */
export type Route =
  | { readonly view: "record" }
  | { readonly view: "sessions" }
  /** The report of one session. */
  | { readonly view: "report"; readonly sessionId: string }
  | { readonly view: "rooms" }
  | { readonly view: "room"; readonly roomName: string }
  | { readonly view: "unknown" };

/** Reads `#/sessions/ID` and its like; an empty one is the place to begin. */
export function readRoute(hash: string): Route {
  const [first = "", second, ...rest] = hash.replace(/^#\/?/, "").split("/").map(decode);
  if (rest.length > 0) return { view: "unknown" };
  const name = second === "" ? undefined : second;
  switch (first) {
    case "":
    case "record":
      return name === undefined ? { view: "record" } : { view: "unknown" };
    case "sessions":
      return name === undefined ? { view: "sessions" } : { view: "report", sessionId: name };
    case "rooms":
      return name === undefined ? { view: "rooms" } : { view: "room", roomName: name };
    default:
      return { view: "unknown" };
  }
}

/** The address of a place, for `href`. */
export function hrefOf(route: Exclude<Route, { view: "unknown" }>): string {
  switch (route.view) {
    case "record":
      return "#/record";
    case "sessions":
      return "#/sessions";
    case "report":
      return `#/sessions/${encodeURIComponent(route.sessionId)}`;
    case "rooms":
      return "#/rooms";
    case "room":
      return `#/rooms/${encodeURIComponent(route.roomName)}`;
  }
}

/** As it is, when it is not well encoded: then it names nothing that there is. */
function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
