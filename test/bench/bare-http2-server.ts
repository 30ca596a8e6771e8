/**
 * The least that answers a gRPC call: reads the request away, looks at nothing, and sends as many bytes as the path says, in
 * one frame with the trailers that gRPC wants. A process of its own; tells its parent the port.
 */
import { createServer } from "node:http2";
import type { AddressInfo } from "node:net";

const server = createServer();
server.on("stream", (stream, { ":path": path = "" }) => {
  const answer = Buffer.alloc(5 + Number(path.slice(path.lastIndexOf("/") + 1)));
  answer.writeUInt32BE(answer.length - 5, 1);
  stream.resume();
  stream.once("end", () => {
    stream.respond({ ":status": 200, "content-type": "application/grpc+proto" }, { waitForTrailers: true });
    stream.once("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
    stream.end(answer);
  });
});
server.listen(0, "127.0.0.1", () => process.send?.((server.address() as AddressInfo).port));
process.once("disconnect", () => process.exit());
