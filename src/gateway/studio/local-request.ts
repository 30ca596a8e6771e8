/**
 * Whether a request comes from this machine, by a page that this very server gave out. For what would be a gift to anybody
 * else: each test stands against one way in, and all of them must hold.
 */
import type { HttpRequest } from "../listener/create-listener.ts";

/**
 * - The peer is on this machine: keeps out the network.
 * - It was not handed on by a proxy, which is on this machine for everybody.
 * - The authority is a name of this machine: keeps out a page whose own name was made to point here (DNS rebinding), since
 *   browsers send the name and not the address.
 */
export function isLocal(request: HttpRequest): boolean {
  const { headers, socket } = request;
  const wasHandedOn = ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via"].some(
    (name) => headers[name] !== undefined,
  );
  return !wasHandedOn && isLoopback(socket.remoteAddress) && isLocalHost(hostOf(authorityOf(request)));
}

/**
 * Browsers say from where they ask, and pages cannot change it: an `Origin` that is not this server's own, or a fetch that
 * is not `same-origin`, is some other page's.
 */
export function isFromOwnPage(request: HttpRequest): boolean {
  const { origin, "sec-fetch-site": site } = request.headers;
  if (typeof origin !== "string" || (site !== undefined && site !== "same-origin")) return false;
  const from = URL.parse(origin);
  const isWeb = from?.protocol === "http:" || from?.protocol === "https:";
  const own = URL.parse(`${from?.protocol}//${authorityOf(request)}`);
  return isWeb && from.origin === origin && own?.origin === origin;
}

function authorityOf(request: HttpRequest): string {
  const authority = "authority" in request ? (request.authority as string | undefined) : undefined;
  return authority ?? request.headers.host ?? "";
}

function hostOf(authority: string): string {
  return URL.parse(`http://${authority}`)?.hostname ?? "";
}

function isLocalHost(host: string): boolean {
  return host === "localhost" || host === "127.0.0.1" || host === "[::1]";
}

function isLoopback(address: string | undefined): boolean {
  return address !== undefined && /^(::1|(::ffff:)?127(\.\d{1,3}){3})$/i.test(address);
}
