/** Many unary gRPC calls, so many in flight, by a client that encodes and decodes nothing. */
import * as grpc from "@grpc/grpc-js";

export interface UnaryCall {
  readonly path: string;
  readonly request: Uint8Array;
  /** Called with 0, 1, 2 and so on. Absent: none is sent. */
  readonly credential?: (index: number) => string;
}

export class UnaryLoad {
  readonly #client: grpc.Client;
  #calls = 0;

  constructor(host: string) {
    this.#client = new grpc.Client(host, grpc.credentials.createInsecure());
  }

  /** Resolves with the last answer. Rejects when a call fails. */
  async run(call: UnaryCall, options: { calls: number; inFlight: number }): Promise<Buffer> {
    let left = options.calls;
    let last: Buffer = Buffer.alloc(0);
    const worker = async () => {
      while (left-- > 0) last = await this.#one(call);
    };
    await Promise.all(Array.from({ length: options.inFlight }, worker));
    return last;
  }

  close(): void {
    this.#client.close();
  }

  #one({ path, request, credential }: UnaryCall): Promise<Buffer> {
    const metadata = new grpc.Metadata();
    if (credential) metadata.set("authorization", `Bearer ${credential(this.#calls++)}`);
    return new Promise((resolve, reject) => {
      this.#client.makeUnaryRequest<Uint8Array, Buffer>(
        path,
        (bytes) => Buffer.from(bytes),
        (bytes) => bytes,
        request,
        metadata,
        (error, answer) => (answer ? resolve(answer) : reject(error ?? new Error("no answer"))),
      );
    });
  }
}
