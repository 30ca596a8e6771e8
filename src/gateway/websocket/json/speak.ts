/** Carries a JSON WebSocket's audio into Transcribe, and the events back. Counts samples, which this client does not. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { AudioEncoding } from "../../../../gen/ts/parley/transcription/v1/transcription_pb.ts";
import type {
  StreamConfig,
  TranscribeRequestSchema,
} from "../../../../gen/ts/parley/transcription/v1/transcription_pb.ts";
import type { ServerSocket, SocketMessage } from "../web-socket-endpoint.ts";
import { readClientMessage } from "./read-client-message.ts";
import type { SessionSocketClients } from "./session-socket.ts";
import { writeEvent, writeStatus } from "./write-event.ts";

export interface SpeakOptions {
  readonly config: StreamConfig;
  readonly messages: AsyncIterator<SocketMessage, undefined>;
  /** Audio that came already. */
  readonly first?: Uint8Array;
  readonly clients: SessionSocketClients;
}

type Request = MessageInitShape<typeof TranscribeRequestSchema>;

/** Resolves when the session is complete and the client was told; rejects with a ConnectError. */
export async function speak(socket: ServerSocket, options: SpeakOptions): Promise<void> {
  const { clients } = options;
  const voice = new Voice(options);
  let sessionId = "";
  let interviewId = "";
  try {
    for await (const response of clients.transcription.transcribe(voice.requests(), {
      signal: socket.signal,
    })) {
      const { event } = response;
      if (event.case === "sessionStarted") {
        sessionId = event.value.sessionId;
        voice.begin(Number(event.value.nextSample));
      }
      if (event.case === "sessionSummary") interviewId = event.value.interviewId;
      await socket.drained();
      socket.sendText(writeEvent(response));
    }
  } catch (error) {
    throw voice.failure ?? error;
  } finally {
    voice.begin(0); // whoever waits for the beginning waits no more
  }
  await socket.drained(); // a long summary may be on its way for a while
  if (!voice.wantsAnalysis) {
    socket.sendText(writeStatus("stopped", "the session is complete"));
    return;
  }
  const { caseQuestion } = options.config;
  if (interviewId === "")
    ({ interviewId } = await clients.analysis.analyzeInterview({ sessionId, caseQuestion }));
  socket.sendText(
    writeStatus("session_complete", "the session is complete; its analysis is queued", { interviewId }),
  );
}

/** What the client says, as Transcribe takes it. */
class Voice {
  readonly #options: SpeakOptions;
  readonly #begun = Promise.withResolvers<number>();
  readonly #frameBytes: number;
  /** What the client did wrong; the call ends of it, and this says it better. */
  failure: ConnectError | undefined;
  /** It ended with `complete`. */
  wantsAnalysis = false;

  constructor(options: SpeakOptions) {
    this.#options = options;
    this.#frameBytes = bytesPerSample(options.config.encoding) * Math.max(1, options.config.channelCount);
  }

  /** The session is open, and takes audio from there. The first call counts. */
  begin(nextSample: number): void {
    this.#begun.resolve(nextSample);
  }

  async *requests(): AsyncGenerator<Request, void, undefined> {
    const { config, first, messages } = this.#options;
    yield { message: { case: "config", value: config } };
    let position = await this.#begun.promise;
    const audio = (data: Uint8Array): Request => {
      const firstSample = BigInt(position);
      position += Math.floor(data.byteLength / this.#frameBytes);
      return { message: { case: "audio", value: { firstSample, data } } };
    };
    if (first) yield audio(first);
    for (;;) {
      const { value } = await messages.next();
      if (!value) throw new ConnectError("the client is gone", Code.Canceled); // it closed without `stop`
      if ("data" in value) {
        if (value.data.byteLength > 0) yield audio(value.data);
        continue;
      }
      const control = this.#read(value.text);
      if (control === "end") return;
      yield control;
    }
  }

  #read(text: string): Request | "end" {
    try {
      const message = readClientMessage(text);
      switch (message.action) {
        case "complete":
          this.wantsAnalysis = true;
          return "end";
        case "stop":
          return "end";
        case "finalize":
          return { message: { case: "control", value: { action: { case: "finalize", value: {} } } } };
        case "keepAlive":
          return { message: { case: "control", value: { action: { case: "keepAlive", value: {} } } } };
        case "reauthenticate": {
          const { token } = message;
          return {
            message: { case: "control", value: { action: { case: "reauthenticate", value: { token } } } },
          };
        }
        case "start":
          throw new ConnectError("start was sent twice; it comes first, and once", Code.InvalidArgument);
      }
    } catch (error) {
      this.failure = ConnectError.from(error);
      return {}; // which Transcribe refuses: the session is over, as after anything else that is not allowed
    }
  }
}

/** Encodings without a size of their own are counted as Transcribe would refuse them. */
function bytesPerSample(encoding: AudioEncoding): number {
  switch (encoding) {
    case AudioEncoding.FLOAT32:
      return 4;
    case AudioEncoding.MULAW:
      return 1;
    default:
      return 2;
  }
}
