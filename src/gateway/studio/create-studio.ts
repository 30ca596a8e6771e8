/**
 * The studio on the gateway's port: its files, what its page has to know of this server, and the sign-in for developers. Takes
 * the paths that it has and no others; a path is looked up, and never made into the name of a file.
 */
import { Code } from "@connectrpc/connect";
import { answerJson, answerPage, refuse } from "../adapter/answer.ts";
import type { PlainHandler } from "../adapter/handle-request.ts";
import type { HttpRequest, RequestHandler } from "../listener/create-listener.ts";
import { developmentSignIn, type DevelopmentSignIn } from "./development-sign-in.ts";
import { isLocal } from "./local-request.ts";
import { serveFile } from "./serve-file.ts";
import type { StudioFile } from "./studio-files.ts";
import { studioHeaders } from "./studio-headers.ts";

export interface StudioOptions {
  /** Undefined: not built; then `/` is `indexPage`. */
  readonly files: ReadonlyMap<string, StudioFile> | undefined;
  readonly indexPage: () => string;
  /** Sign-in through an OpenID provider. Absent: there is none. */
  readonly oidc?: StudioOidc;
  /** Origins that the page asks to sign in there, as far as they are known now. Default: the issuer's own. */
  readonly providerOrigins?: () => readonly string[];
  /** Absent: no development, and the path is not there. */
  readonly developmentSignIn?: DevelopmentSignIn;
}

export interface StudioOidc {
  readonly issuer: string;
  readonly clientId: string;
  readonly scopes: string;
  /** Whom its access tokens have to be for. */
  readonly resource?: string;
}

/** What the page is told, at `/studio/config.json`. */
export interface StudioConfig {
  /** Absent: there is none. */
  readonly oidc?: StudioOidc;
  /** Whether whoever asks may sign in as a developer. */
  readonly development: boolean;
}

export function createStudio(options: StudioOptions): PlainHandler {
  const { files, indexPage, oidc, developmentSignIn: development } = options;
  const { providerOrigins = () => (oidc ? [new URL(oidc.issuer).origin] : []) } = options;
  const config = (request: HttpRequest): StudioConfig => ({
    ...(oidc && { oidc }),
    development: development !== undefined && isLocal(request),
  });
  const handlers = new Map<string, RequestHandler>([
    [
      "/studio/config.json",
      reading((request, response) => answerJson(request, response, 200, config(request))),
    ],
  ]);
  if (development) handlers.set("/studio/sign-in", developmentSignIn(development));
  if (!files)
    handlers.set(
      "/",
      reading((request, response) => answerPage(request, response, indexPage())),
    );
  for (const [path, file] of files ?? []) {
    handlers.set(
      path,
      reading((request, response) =>
        serveFile(request, response, file, studioHeaders({ providerOrigins: providerOrigins() })),
      ),
    );
  }
  return (request, response) => {
    const [path = ""] = (request.url ?? "").split("?", 1);
    const handler = handlers.get(path);
    handler?.(request, response);
    return handler !== undefined;
  };
}

function reading(handler: RequestHandler): RequestHandler {
  return (request, response) => {
    if (request.method === "GET" || request.method === "HEAD") {
      handler(request, response);
      return;
    }
    response.setHeader("allow", "GET, HEAD");
    refuse(request, response, {
      status: 405,
      code: Code.Unimplemented,
      message: "this page takes GET or HEAD",
    });
  };
}
