/** One HTTP request in either version, sent as it is told: no path is tidied and no header joined. */
import { request as requestHttp1 } from "node:http";
import { connect as connectHttp2 } from "node:http2";
import { text } from "node:stream/consumers";

export interface Question {
  /** Default POST with a body, else GET. */
  method?: string;
  path: string;
  headers?: Readonly<Record<string, string>>;
  /** A string is sent as it is, anything else as JSON, with its content type unless `headers` have one. */
  body?: unknown;
}

export interface Answer {
  status: number;
  headers: Readonly<Record<string, string | string[] | undefined>>;
  text: string;
  /** Undefined when there is no body. */
  json: unknown;
}

export type Ask = (port: number, question: Question) => Promise<Answer>;

/** For describe.each. */
export const httpVersions: [string, Ask][] = [
  ["HTTP/1.1", overHttp1],
  ["HTTP/2", overHttp2],
];

export function overHttp1(port: number, question: Question): Promise<Answer> {
  const { method, headers, bytes } = prepare(question);
  return new Promise((resolve, reject) => {
    const request = requestHttp1(
      { host: "127.0.0.1", port, path: question.path, method, headers, agent: false },
      (response) => {
        text(response).then((body) => {
          resolve(toAnswer(response.statusCode ?? 0, response.headers, body));
        }, reject);
      },
    );
    request.on("error", reject);
    request.end(bytes);
  });
}

export async function overHttp2(port: number, question: Question): Promise<Answer> {
  const { method, headers, bytes } = prepare(question);
  const session = connectHttp2(`http://127.0.0.1:${port}`);
  try {
    const stream = session.request(
      { ...headers, ":method": method, ":path": question.path },
      { endStream: bytes === "" },
    );
    const head = new Promise<Record<string, unknown>>((resolve, reject) => {
      stream.on("response", (received) => {
        resolve({ ...received });
      });
      stream.on("error", reject);
    });
    if (bytes !== "") stream.end(bytes);
    const received = await head;
    return toAnswer(Number(received[":status"]), received as Answer["headers"], await text(stream));
  } finally {
    session.close();
  }
}

function prepare({ method, headers = {}, body }: Question) {
  const bytes = body === undefined || typeof body === "string" ? (body ?? "") : JSON.stringify(body);
  const kind = body === undefined ? {} : { "content-type": "application/json" };
  return {
    method: method ?? (body === undefined ? "GET" : "POST"),
    headers: {
      ...kind,
      ...headers,
      ...(bytes !== "" && { "content-length": String(Buffer.byteLength(bytes)) }),
    },
    bytes,
  };
}

function toAnswer(status: number, headers: Answer["headers"], body: string): Answer {
  const isJson = headers["content-type"] === "application/json" && body !== "";
  return { status, headers, text: body, json: isJson ? (JSON.parse(body) as unknown) : undefined };
}
