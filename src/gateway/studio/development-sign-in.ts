/**
 * `POST /studio/sign-in`: a user token for whoever sits at this machine, so that a developer can try the studio at once. Only
 * where the server made its own secrets, and so is nobody's production; only for a page of its own on this machine.
 */
import { Code } from "@connectrpc/connect";
import type { HttpRequest, HttpResponse, RequestHandler } from "../listener/create-listener.ts";
import { answerJson, refuse } from "../adapter/answer.ts";
import { isFromOwnPage, isLocal } from "./local-request.ts";

export interface DevelopmentSignIn {
  /** Makes a token of the user; told from where it was asked. */
  readonly issueToken: (userId: string, peerAddress: string) => { token: string; expireTime: Date };
  /** Told of each request that is turned away, and why. */
  readonly onRefused: (reason: "elsewhere" | "other_page", peerAddress: string) => void;
}

const maxBodyBytes = 1024;
const userIdPattern = /^[\p{L}\p{N}][\p{L}\p{N}_.@ -]{0,63}$/u;

/** Body `{ "userId": "ada" }`; answer `{ "token": "…", "expireTime": "2026-01-31T12:00:00.000Z" }`. */
export function developmentSignIn({ issueToken, onRefused }: DevelopmentSignIn): RequestHandler {
  return (request, response) => {
    const peerAddress = request.socket.remoteAddress ?? "";
    if (request.method !== "POST") {
      response.setHeader("allow", "POST");
      turnAway(request, response, { status: 405, code: Code.Unimplemented, message: "send POST" });
      return;
    }
    const reason = !isLocal(request) ? "elsewhere" : !isFromOwnPage(request) ? "other_page" : undefined;
    if (reason !== undefined) {
      onRefused(reason, peerAddress);
      const message = "development sign-in is for the studio's own page at http://localhost on this machine";
      turnAway(request, response, { status: 403, code: Code.PermissionDenied, message });
      return;
    }
    readUserId(request).then(
      (userId) => {
        if (userId === undefined) {
          const message =
            'send content-type application/json and a body such as {"userId": "ada"}: letters, digits, spaces and _.@-, at most 64';
          turnAway(request, response, { status: 400, code: Code.InvalidArgument, message });
          return;
        }
        const { token, expireTime } = issueToken(userId, peerAddress);
        answerJson(request, response, 200, { token, expireTime: expireTime.toISOString() });
      },
      () => response.destroy(), // the request broke off: nobody is there to be answered
    );
  };
}

/** Undefined: what was sent is not what it takes. Rejects when the request breaks off. */
async function readUserId(request: HttpRequest): Promise<string | undefined> {
  // Pages of other origins cannot send this type without asking first, and are not let.
  if (!/^application\/json(;|$)/i.test(request.headers["content-type"] ?? "")) return undefined;
  const chunks: Buffer[] = [];
  let byteCount = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    byteCount += chunk.length;
    if (byteCount > maxBodyBytes) return undefined;
    chunks.push(chunk);
  }
  try {
    const body = JSON.parse(Buffer.concat(chunks).toString()) as { userId?: unknown } | null;
    const userId = body?.userId;
    return typeof userId === "string" && userIdPattern.test(userId) ? userId : undefined;
  } catch {
    return undefined;
  }
}

/** What is left of the body is not read, so the connection ends with the answer. */
function turnAway(
  request: HttpRequest,
  response: HttpResponse,
  refusal: { status: number; code: Code; message: string },
): void {
  refuse(request, response, { ...refusal, close: true });
}
