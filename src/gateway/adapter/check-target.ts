/**
 * Whether a request's authority and path can be served at all. What passes here is safe to give to `new URL`; what
 * does not is answered 400 before anything else looks at it.
 */
import type { HttpRequest } from "../listener/create-listener.ts";

export type Target = { ok: true; path: string } | { ok: false; problem: string };

/** Host and optional port: a name, an IPv4 address, or an IPv6 address in brackets; no user information. */
const authorityPattern = /^(?:[A-Za-z0-9._-]{1,255}|\[[0-9A-Fa-f:.]{2,45}\])(?::\d{1,5})?$/;
/** Origin form: printable ASCII after one slash; two would name another host, and URLs take a backslash for one. */
const pathPattern = /^\/(?![/\\])[\x21-\x7e]*$/;
const maxPathLength = 8 * 1024;

/** The path without its query, or what is wrong in words that tell no more than the request did. */
export function checkTarget(request: HttpRequest): Target {
  const problem = authorityProblem(request);
  if (problem !== undefined) return { ok: false, problem };
  const url = request.url ?? "";
  if (url.length > maxPathLength || !pathPattern.test(url)) {
    return { ok: false, problem: "malformed path: send it in origin form, such as /package.Service/Method" };
  }
  const query = url.indexOf("?");
  return { ok: true, path: query === -1 ? url : url.slice(0, query) };
}

function authorityProblem(request: HttpRequest): string | undefined {
  const isHttp2 = "authority" in request;
  if (countHosts(request.rawHeaders) > 1) return "more than one Host header: send one";
  const authority = isHttp2 ? (request.authority as string | undefined) : request.headers.host;
  if (authority === undefined || authority === "") return "no authority: send a Host header or :authority";
  if (!authorityPattern.test(authority) || !URL.canParse(`http://${authority}`)) {
    return "malformed authority: send host or host:port";
  }
  return undefined;
}

function countHosts(rawHeaders: readonly string[]): number {
  let count = 0;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i];
    if (name?.length === 4 && name.toLowerCase() === "host") count++;
  }
  return count;
}
