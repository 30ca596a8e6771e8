/** HTTP/2 frames by hand, as RFC 9113 and RFC 7541 have them. */
const preface = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
export const frame = (type: number, flags: number, stream: number, payload: Buffer = Buffer.alloc(0)) => {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
};
export const greeting = Buffer.concat([preface, frame(4, 0, 0)]);
/** A literal header field without indexing, HPACK of RFC 7541, section 6.2.2; up to 126 bytes each. */
export const literal = (name: string, value: string) =>
  Buffer.concat([Buffer.of(0, name.length), Buffer.from(name), Buffer.of(value.length), Buffer.from(value)]);
export const headerBlock = (path: string) =>
  Buffer.concat([
    literal(":method", "POST"),
    literal(":scheme", "http"),
    literal(":path", path),
    literal(":authority", "a"),
    literal("content-type", "application/grpc"),
  ]);
export const headersFrame = (stream: number, path: string) => frame(1, 4, stream, headerBlock(path));
