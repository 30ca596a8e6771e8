/** What an app says to open a transcription, and what it gets: types, defaults, and what is refused at once. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { Transport } from "@connectrpc/connect";
import { AudioEncoding } from "../../gen/ts/parley/transcription/v1/transcription_pb.ts";
import type {
  StreamConfigSchema,
  TranscribeResponse,
} from "../../gen/ts/parley/transcription/v1/transcription_pb.ts";
import type { Clock } from "./clock.ts";
import { TranscriptionError } from "./transcription-error.ts";

export interface TranscriptionOptions {
  /**
   * Must stream both ways: Node over HTTP/2, or a WebSocket transport. As a function it is called for each stream, which
   * then has a connection of its own. Use that, and HTTP/2 pings (`pingIntervalMs`), with `createGrpcTransport`: a
   * transport that is kept sends the next stream down a connection that may be dead, and without pings one that is dead
   * on one way only stays open. `idleConnectionTimeoutMs` ends what is left over; connect-node's default is 15 min.
   */
  readonly transport: Transport | (() => Transport);
  /**
   * A transcription token. As a function it is called at the start, before the token expires, and after it was refused;
   * one that fails is called again.
   */
  readonly token: string | (() => string | Promise<string>);
  readonly config: TranscriptionConfig;
  /** Continues a session of an earlier page or process. Config must name the same encoding, rate and channels. */
  readonly resume?: ResumePoint;
  /** Gives up at once, as cancel() does. */
  readonly signal?: AbortSignal;
  /** `reason` says why, for "reconnecting" and "failed". */
  readonly onStateChange?: (state: TranscriptionState, reason?: Error) => void;
  readonly timing?: Partial<TranscriptionTiming>;
  /** Default: real time. */
  readonly clock?: Clock;
  /** From 0 to 1, for the jitter of reconnecting. Default Math.random. */
  readonly random?: () => number;
}

/** As StreamConfig, where each is explained. OPUS is not supported here yet. */
export interface TranscriptionConfig {
  readonly encoding: AudioEncoding;
  readonly sampleRateHz: number;
  /** Default 1. */
  readonly channelCount?: number;
  readonly languageCode?: string;
  readonly interimResults?: boolean;
  readonly analyzeOnEnd?: boolean;
  readonly caseQuestion?: string;
  readonly keyterms?: readonly string[];
  readonly diarize?: boolean;
  readonly roomName?: string;
  readonly participantIdentity?: string;
}

export interface TranscriptionTiming {
  /** Nothing sent for so long: a keep-alive is. Default 3000; at most 25 000, for the server waits 30 s. */
  readonly heartbeatMs: number;
  /** Nothing heard for so long: the connection is dead. Default 8000: the server sends something every 3 s. */
  readonly deadAfterMs: number;
  /** From opening a stream, token and connection included, to the server's first event. Default 10 000. */
  readonly connectTimeoutMs: number;
  /**
   * The least that is waited before a new attempt. Default 50: connect-node throws past every catch when a transport is
   * asked for a stream in the moment in which its pings find the connection dead.
   */
  readonly minBackoffMs: number;
  /** The most that is waited before the first new attempt; doubles with each, up to maxBackoffMs. Default 250. */
  readonly firstBackoffMs: number;
  /** Default 10 000. */
  readonly maxBackoffMs: number;
  /** Without a working stream for so long, the transcription fails. Default 10 min: the server keeps a session so long. */
  readonly giveUpAfterMs: number;
  /** Unacknowledged audio that is kept; beyond it the oldest is dropped. Default 10 min, 19 MB of 16 kHz 16-bit mono. */
  readonly maxTailMs: number;
  /** Audio that may wait to be sent before write() makes its caller wait. Default 2000. */
  readonly maxUnsentMs: number;
  /** Small writes are gathered for so long. Default 20. */
  readonly minPieceMs: number;
}

export const defaultTiming: TranscriptionTiming = {
  heartbeatMs: 3_000,
  deadAfterMs: 8_000,
  connectTimeoutMs: 10_000,
  minBackoffMs: 50,
  firstBackoffMs: 250,
  maxBackoffMs: 10_000,
  giveUpAfterMs: 600_000,
  maxTailMs: 600_000,
  maxUnsentMs: 2_000,
  minPieceMs: 20,
};

/**
 * - `connecting`: no session yet;
 * - `live`: audio goes up, events come down;
 * - `reconnecting`: the stream broke, or its server stops; audio is kept;
 * - `ending`: end() was called, and a stream is open;
 * - `ended`: the summary is here, and everything is stored;
 * - `failed`: the events throw why.
 */
export type TranscriptionState = "connecting" | "live" | "reconnecting" | "ending" | "ended" | "failed";

/** Where to continue, as plain data that can be kept as JSON. Secret: whoever has it and a token can go on speaking. */
export interface ResumePoint {
  readonly sessionId: string;
  readonly resumeToken: string;
  /** Finals that the app has taken out of the events. */
  readonly finalsReceived: number;
  /** Sample that the next write begins at; what is unacknowledged before it is reported as an AudioGap. */
  readonly nextSample: number;
}

export type TranscriptionEvent = Exclude<TranscribeResponse["event"], { case: undefined }>;

export interface Transcription extends AsyncIterable<TranscriptionEvent> {
  readonly state: TranscriptionState;
  /** Once the session has started. */
  readonly sessionId: string | undefined;
  /** Once the session has started; moves on with every write and every final read. */
  readonly resumePoint: ResumePoint | undefined;
  /** Audio written, on the session clock. */
  readonly writtenMs: number;
  /** Audio that was sent at least once. */
  readonly sentMs: number;
  /** Audio that is kept because the server has not said that it is safe. */
  readonly unacknowledgedMs: number;
  /**
   * Takes whole samples of all channels, any number, and copies them. Resolves when there is room for more: who sends a
   * file waits for that, who sends live audio need not. Never rejects; does nothing once the transcription is over.
   * Throws when the samples are not whole, or after end().
   */
  write(data: Uint8Array): Promise<void>;
  /** Turns all audio written so far into finals now. */
  finalize(): void;
  /** No more audio comes. The events go on, with the last finals and the summary. */
  end(): void;
  /** Gives up; the events throw. The server keeps the session for a while, for a client that resumes. */
  cancel(): void;
  /**
   * The events, in order and each once, whatever reconnects; there is one reading. Must be read while audio is written:
   * what is not read holds up acknowledgements. Leaving the loop early cancels.
   */
  [Symbol.asyncIterator](): AsyncIterator<TranscriptionEvent, undefined>;
}

export interface AudioFormat {
  readonly sampleRateHz: number;
  /** One sample of each channel. */
  readonly bytesPerFrame: number;
}

/** Throws what the server would refuse anyway, as far as the tail depends on it. */
export function readAudioFormat(config: TranscriptionConfig): AudioFormat {
  const { encoding, sampleRateHz, channelCount = 1 } = config;
  if (encoding === AudioEncoding.OPUS) {
    throw new TranscriptionError("unsupported", "config.encoding: OPUS is not supported by this client yet");
  }
  const bytesPerSample = bytesPerSampleOf[encoding];
  if (bytesPerSample === undefined) {
    throw new TranscriptionError("invalid", "config.encoding: expected LINEAR16, MULAW or FLOAT32");
  }
  if (!Number.isInteger(sampleRateHz) || sampleRateHz < 8000 || sampleRateHz > 48_000) {
    throw new TranscriptionError("invalid", "config.sampleRateHz: expected a whole number, 8000 to 48000");
  }
  if (!Number.isInteger(channelCount) || channelCount < 1 || channelCount > 8) {
    throw new TranscriptionError("invalid", "config.channelCount: expected a whole number, 1 to 8");
  }
  return { sampleRateHz, bytesPerFrame: bytesPerSample * channelCount };
}

const bytesPerSampleOf: Partial<Readonly<Record<AudioEncoding, number>>> = {
  [AudioEncoding.LINEAR16]: 2,
  [AudioEncoding.MULAW]: 1,
  [AudioEncoding.FLOAT32]: 4,
};

/** The first message of a stream. One that resumes repeats only what the server compares. */
export function streamConfig(
  config: TranscriptionConfig,
  resume: Omit<ResumePoint, "nextSample"> | undefined,
): MessageInitShape<typeof StreamConfigSchema> {
  const { encoding, sampleRateHz, channelCount = 1, keyterms, ...others } = config;
  const format = { encoding, sampleRateHz, channelCount };
  if (resume) return { ...format, resume };
  return { ...others, ...format, ...(keyterms && { keyterms: [...keyterms] }) };
}
