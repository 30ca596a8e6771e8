/**
 * JSON documents that anybody may have, such as the public keys of this server's tokens: GET and HEAD, with a cache time,
 * for pages of every origin. Nothing in an answer depends on who asks.
 */
import { Code } from "@connectrpc/connect";
import type { RequestHandler } from "../listener/create-listener.ts";
import { answerJson, refuse } from "./answer.ts";

export interface PublicDocument {
  body: object;
  /** How long it may be kept, in seconds. 0: it must be asked for each time. */
  maxAgeSeconds: number;
}

const preflightMaxAgeSeconds = 7200;

/** By path. Throws for a path that no request has. */
export function createDocuments(
  documents: Readonly<Record<string, () => PublicDocument>>,
): ReadonlyMap<string, RequestHandler> {
  return new Map(
    Object.entries(documents).map(([path, document]) => {
      if (!/^\/[\x21-\x3e\x40-\x7e]*$/.test(path)) throw new Error(`"${path}" is no path for a document`);
      return [path, serve(document)];
    }),
  );
}

function serve(document: () => PublicDocument): RequestHandler {
  return (request, response) => {
    response.setHeader("access-control-allow-origin", "*");
    if (request.method === "GET" || request.method === "HEAD") {
      const { body, maxAgeSeconds } = document();
      response.setHeader("cache-control", `public, max-age=${maxAgeSeconds}`);
      answerJson(request, response, 200, body);
    } else if (
      request.method === "OPTIONS" &&
      request.headers["access-control-request-method"] !== undefined
    ) {
      response.setHeader("access-control-allow-methods", "GET, HEAD");
      response.setHeader("access-control-allow-headers", "*");
      response.setHeader("access-control-max-age", String(preflightMaxAgeSeconds));
      response.writeHead(204);
      response.end();
    } else {
      response.setHeader("allow", "GET, HEAD");
      refuse(request, response, {
        status: 405,
        code: Code.Unimplemented,
        message: "this document takes GET or HEAD",
      });
    }
  };
}
