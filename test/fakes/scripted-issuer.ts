/**
 * An issuer as far as its documents go: a discovery document and a key set over http, answered as a test wants, also wrongly,
 * slowly or not at all. It makes no tokens.
 */
import { createServer } from "node:http";
import type { RequestListener, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface ScriptedIssuer {
  readonly issuer: string;
  readonly jwksUrl: string;
  /** Members of the key set. */
  keys: unknown[];
  /** Members of the discovery document besides, or in place of, the right ones. */
  discovery: Readonly<Record<string, unknown>>;
  /** In place of the key set. */
  answerKeys: RequestListener | undefined;
  /** In place of the discovery document. */
  answerDiscovery: RequestListener | undefined;
  /** How often the key set, the discovery document and anything else was asked for. */
  readonly asked: { keys: number; discovery: number; other: number };
  /** Hangs up, and takes no connection until it is started again, on the same port. */
  stop(): Promise<void>;
  start(): Promise<void>;
}

export async function startScriptedIssuer(): Promise<ScriptedIssuer> {
  const server = createServer();
  const listen = (port: number) =>
    new Promise<void>((resolve) => server.listen(port, "127.0.0.1", () => resolve()));
  await listen(0);
  const { port } = server.address() as AddressInfo;
  const issuer = `http://127.0.0.1:${port}`;
  const scripted: ScriptedIssuer = {
    issuer,
    jwksUrl: `${issuer}/keys`,
    keys: [],
    discovery: {},
    answerKeys: undefined,
    answerDiscovery: undefined,
    asked: { keys: 0, discovery: 0, other: 0 },
    async stop() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
    start: () => listen(port),
  };
  server.on("request", (request, response) => {
    response.setHeader("connection", "close"); // none is left over when it starts again
    switch (request.url) {
      case "/keys":
        scripted.asked.keys += 1;
        if (scripted.answerKeys) scripted.answerKeys(request, response);
        else sendJson(response, { keys: scripted.keys });
        break;
      case "/.well-known/openid-configuration":
        scripted.asked.discovery += 1;
        if (scripted.answerDiscovery) scripted.answerDiscovery(request, response);
        else sendJson(response, { issuer, jwks_uri: scripted.jwksUrl, ...scripted.discovery });
        break;
      default:
        scripted.asked.other += 1;
        response.writeHead(404).end();
    }
  });
  return scripted;
}

export function sendJson(response: ServerResponse, value: unknown): void {
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify(value));
}
