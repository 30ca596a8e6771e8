/** The first bytes of a connection, in pieces of every size. */
import { PassThrough } from "node:stream";
import type { Socket } from "node:net";
import { expect, test } from "vitest";
import {
  detectProtocol,
  protocolOf,
  type HttpProtocol,
} from "../../../src/gateway/listener/detect-protocol.ts";

const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

test.each([
  [preface, "http2"],
  [`${preface}\0\0\0`, "http2"],
  [preface.slice(0, 23), undefined],
  ["", undefined],
  ["P", undefined],
  ["POST", "http1"],
  ["GET /", "http1"],
  ["PRI * HTTP/2.0\r\n\r\nXX", "http1"],
] as const)("%j is %s", (head, protocol) => {
  expect(protocolOf(Buffer.from(head))).toBe(protocol);
});

test.each([
  [`${preface}rest`, "http2"],
  ["PRIDE / HTTP/1.1\r\n", "http1"],
] as const)("%j is known in pieces of each size, and no byte is lost", async (bytes, protocol) => {
  for (let size = 1; size <= bytes.length; size++) {
    // A stream that keeps pieces apart, which a socket may join.
    const stream = new PassThrough();
    const known = new Promise<HttpProtocol>((resolve) =>
      detectProtocol(stream as unknown as Socket, resolve),
    );
    for (let at = 0; at < bytes.length; at += size) {
      stream.write(bytes.slice(at, at + size));
      await new Promise(setImmediate);
    }
    expect(await known).toBe(protocol);
    stream.end();
    let all = "";
    for await (const chunk of stream) all += String(chunk);
    expect(all).toBe(bytes);
  }
});
