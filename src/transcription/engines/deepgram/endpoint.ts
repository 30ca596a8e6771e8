/** Where Deepgram is: its own cloud, a region's, or a server that one hosts oneself. */

const cloudUrl = "wss://api.deepgram.com";

/** Base of the live API. Takes ws, wss, http and https, with or without the API's own path behind it. */
export function listenBaseUrl(configured = cloudUrl): string {
  const url = new URL(configured.replace(/^http/i, "ws"));
  url.pathname = url.pathname.replace(/\/(v1(\/listen)?)?\/?$/, "");
  url.search = "";
  url.hash = "";
  return url.href.replace(/\/$/, "");
}

/** Base of the same server's HTTP API. */
export function restBaseUrl(configured?: string): string {
  return listenBaseUrl(configured).replace(/^ws/, "http");
}

/** The server as it may stand in a message: without credentials, path and query. */
export function serverName(configured?: string): string {
  return new URL(listenBaseUrl(configured)).host;
}
