/**
 * Answers that no RPC handler gives: JSON, plain pages, and refusals in the form that the client's protocol reads.
 * Sets the security headers of all of them; never echoes anything of the request.
 */
import { STATUS_CODES } from "node:http";
import type { Code } from "@connectrpc/connect";
import { codeToString } from "@connectrpc/connect/protocol-connect";
import type { HttpRequest, HttpResponse } from "../listener/create-listener.ts";

/** Nothing is loaded, run or framed unless the page itself brings it. */
const pagePolicy =
  "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

export function answerJson(
  request: HttpRequest,
  response: HttpResponse,
  status: number,
  body: unknown,
): void {
  answerText(request, response, status, "application/json", `${JSON.stringify(body)}\n`);
}

export function answerPage(request: HttpRequest, response: HttpResponse, html: string): void {
  response.setHeader("content-security-policy", pagePolicy);
  answerText(request, response, 200, "text/html; charset=utf-8", html);
}

/** What is told of a refusal. */
export interface Refusal {
  /** HTTP status. */
  status: number;
  code: Code;
  message: string;
}

/**
 * A refusal in JSON: `code` and `message` are a Connect error, `statusCode` and `error` (the status in words) what clients of
 * NestJS servers show with the message.
 */
export function refusalBody({ status, code, message }: Refusal) {
  return { statusCode: status, error: STATUS_CODES[status] ?? "Error", code: codeToString(code), message };
}

/**
 * Refuses a request: a gRPC client gets a status without a body, everybody else an error in JSON with the HTTP status
 * `status`.
 */
export function refuse(
  request: HttpRequest,
  response: HttpResponse,
  refusal: Refusal & { close?: boolean },
): void {
  if (refusal.close === true && request.httpVersionMajor === 1) response.setHeader("connection", "close");
  const contentType = request.headers["content-type"] ?? "";
  if (contentType.startsWith("application/grpc") && request.method === "POST") {
    response.setHeader(
      "content-type",
      contentType.startsWith("application/grpc-web") ? "application/grpc-web+proto" : "application/grpc",
    );
    response.setHeader("grpc-status", String(refusal.code));
    response.setHeader("grpc-message", encodeURIComponent(refusal.message).replaceAll("%20", " "));
    // Without writeHead, so that headers and end are one frame: only then clients read the status from them.
    response.statusCode = 200;
    response.end();
    return;
  }
  answerJson(request, response, refusal.status, refusalBody(refusal));
}

/** The reason phrase of a status, in lower case, as a Connect error body. */
export function statusBody(status: number, message: string): Uint8Array {
  const code = (STATUS_CODES[status] ?? "unknown").toLowerCase().replaceAll(" ", "_");
  return new TextEncoder().encode(`${JSON.stringify({ code, message })}\n`);
}

function answerText(
  request: HttpRequest,
  response: HttpResponse,
  status: number,
  contentType: string,
  text: string,
): void {
  const body = Buffer.from(text);
  response.setHeader("content-type", contentType);
  response.setHeader("content-length", body.length);
  response.setHeader("x-content-type-options", "nosniff");
  response.setHeader("referrer-policy", "no-referrer");
  if (!response.hasHeader("cache-control")) response.setHeader("cache-control", "no-store");
  response.writeHead(status);
  if (request.method === "HEAD") response.end();
  else response.end(body);
}
