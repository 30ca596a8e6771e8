/** Answers GET and HEAD with a file of the studio: compressed if the browser takes it, and not at all if it has it already. */
import type { HttpRequest, HttpResponse } from "../listener/create-listener.ts";
import type { StudioFile } from "./studio-files.ts";

/** `headers` come with every answer. */
export function serveFile(
  request: HttpRequest,
  response: HttpResponse,
  file: StudioFile,
  headers: Readonly<Record<string, string>>,
): void {
  const encoding = chooseEncoding(request.headers["accept-encoding"], file);
  const body = (encoding && file.encoded[encoding]) ?? file.body;
  // One tag for each form, so that no cache takes one for another.
  const etag = encoding === undefined ? file.etag : file.etag.replace(/"$/, `-${encoding}"`);
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  response.appendHeader("vary", "Accept-Encoding");
  response.setHeader("etag", etag);
  response.setHeader("cache-control", file.isHashed ? "public, max-age=31536000, immutable" : "no-cache");
  if (has(request.headers["if-none-match"], etag)) {
    response.writeHead(304);
    response.end();
    return;
  }
  response.setHeader("content-type", file.contentType);
  response.setHeader("content-length", body.length);
  if (encoding !== undefined) response.setHeader("content-encoding", encoding);
  response.writeHead(200);
  if (request.method === "HEAD") response.end();
  else response.end(body);
}

/** The smallest of those that the browser names and does not refuse with `q=0` (RFC 9110, section 12.5.3). */
function chooseEncoding(
  accepted: string | string[] | undefined,
  { encoded }: StudioFile,
): "br" | "gzip" | undefined {
  const offers = String(accepted ?? "")
    .toLowerCase()
    .split(",")
    .map((offer) => offer.split(";").map((part) => part.trim()));
  const taken = new Set(
    offers.flatMap(([name = "", ...parameters]) =>
      parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter)) ? [] : [name],
    ),
  );
  return (["br", "gzip"] as const).find((name) => encoded[name] !== undefined && taken.has(name));
}

function has(ifNoneMatch: string | undefined, etag: string): boolean {
  const known = (ifNoneMatch ?? "").split(",").map((tag) => tag.trim().replace(/^W\//, ""));
  return known.includes(etag) || known.includes("*");
}
