/** TranscriptionService over Connect: carries streams between the wire and sessions, and reads what is stored. */
import { toJsonString, create } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import {
  SessionSummarySchema,
  TranscriptFormat,
} from "../../../../gen/ts/parley/transcription/v1/transcription_pb.ts";
import type {
  TranscribeRequest,
  TranscriptionService,
} from "../../../../gen/ts/parley/transcription/v1/transcription_pb.ts";
import type { Clock } from "../../../clock.ts";
import type { Caller } from "../../../token/caller.ts";
import { EXPORT_MEDIA_TYPES, exportTranscript } from "../../../transcription/export/export-transcript.ts";
import type { ExportFormat } from "../../../transcription/export/export-transcript.ts";
import { SessionError } from "../../../transcription/session-error.ts";
import type { SessionStore, StoredSession } from "../../../transcription/session-store.ts";
import type { CompletedSession } from "../../../transcription/session/continue-session.ts";
import type { LiveSessions } from "../../../transcription/session/live-sessions.ts";
import { Session } from "../../../transcription/session/session.ts";
import type { AdmittedStream, StreamLimits } from "../../../transcription/session/stream-limits.ts";
import { summarize } from "../../../transcription/session/summarize.ts";
import { feedSession, nextWithin } from "../../../transcription/sources/feed-session.ts";
import { peerKey } from "../../adapter/call-context.ts";
import { requireCaller } from "../../interceptors/credentials.ts";
import { addressKey } from "../../listener/connection-table.ts";
import { given } from "../optional.ts";
import { readPage } from "../page.ts";
import { grpcSource, readNext } from "./grpc-source.ts";
import type { WatchDependencies } from "./open-watch.ts";
import { readStreamConfig } from "./read-stream-config.ts";
import type { StreamRequest } from "./read-stream-config.ts";
import { eventToProto, sessionToProto, summaryToProto } from "./to-proto.ts";
import { watchSession } from "./watch-session.ts";

export interface TranscriptionServiceDependencies extends WatchDependencies {
  readonly sessions: LiveSessions;
  readonly store: SessionStore;
  readonly clock: Clock;
  readonly streamLimits: StreamLimits;
  /** A client that says nothing for so long is taken for dead. */
  readonly maxIdleMs: number;
  /** Throws TokenError. */
  readonly verifyToken: (token: string) => Caller;
}

/** What a later version serves is left out; Connect answers UNIMPLEMENTED to it. */
export function transcriptionService(
  dependencies: TranscriptionServiceDependencies,
): Partial<ServiceImpl<typeof TranscriptionService>> {
  const { store, sessions, streamLimits, clock, maxIdleMs } = dependencies;
  return {
    async *transcribe(requests, context) {
      const caller = requireCaller(context, "participant");
      const iterator = requests[Symbol.asyncIterator]() as AsyncIterator<TranscribeRequest, undefined>;
      const first = await nextWithin({ next: () => readNext(iterator) }, maxIdleMs, clock);
      const asked = readStreamConfig(first.done ? undefined : first.value, caller);
      const admitted = admit(asked, streamLimits, context);
      let session: Session | CompletedSession;
      try {
        session =
          asked.type === "open" ? await sessions.open(asked.options) : await sessions.resume(asked.request);
      } catch (error) {
        admitted.release();
        throw error;
      }
      if (session instanceof Session) {
        admitted.serves(session.sessionId);
        // Not when this handler ends: one that waits for a client to read may never do.
        void session.closed.then(() => admitted.release());
        const source = grpcSource(iterator, {
          caller,
          verifyToken: dependencies.verifyToken,
          clock,
          signal: context.signal,
        });
        void feedSession(session, source, { clock, maxIdleMs, signal: context.signal });
        // While it opened it was not among those whose streams a revocation ends.
        if (dependencies.isRevoked(caller))
          session.fail(new SessionError("token-expired", "the token was revoked"));
      } else {
        admitted.release();
      }
      let sequence = session.firstSequence;
      for await (const event of session.events) {
        yield { sequence, event: eventToProto(event) };
        sequence += 1;
      }
    },

    watchSession: watchSession(dependencies),

    async getSession(request, context) {
      const session = await ownSession(request.sessionId, context, store);
      const [segments, gaps] = await Promise.all([
        store.segments(session.sessionId),
        store.gaps(session.sessionId),
      ]);
      const summary = summarize(session, segments, gaps);
      return { session: sessionToProto(session), summary: summaryToProto(summary) };
    },

    async listSessions(request, context) {
      const caller = requireCaller(context, "user", "service");
      if (caller.kind === "user" && request.userId !== "" && request.userId !== caller.userId) {
        throw new ConnectError("user_id: a user may list only their own sessions", Code.PermissionDenied);
      }
      const userId = caller.kind === "user" ? caller.userId : request.userId;
      const page = await store.list(
        { ...given("userId", userId), ...given("roomName", request.roomName) },
        readPage(request),
      );
      return { sessions: page.items.map(sessionToProto), nextPageToken: page.next ?? "" };
    },

    async exportTranscript(request, context) {
      const session = await ownSession(request.sessionId, context, store);
      const segments = await store.segments(session.sessionId);
      const fileName = (extension: string) => `session-${session.sessionId}.${extension}`;
      if (request.format === TranscriptFormat.JSON) {
        const gaps = await store.gaps(session.sessionId);
        const summary = create(SessionSummarySchema, summaryToProto(summarize(session, segments, gaps)));
        return {
          content: toJsonString(SessionSummarySchema, summary, { prettySpaces: 2 }),
          contentType: "application/json",
          fileName: fileName("json"),
        };
      }
      const format = textFormats[request.format];
      if (format === undefined)
        throw new ConnectError("format is required: VTT, SRT, TXT or JSON", Code.InvalidArgument);
      return {
        content: exportTranscript(format, segments),
        contentType: EXPORT_MEDIA_TYPES[format],
        fileName: fileName(format),
      };
    },
  };
}

/** Throws SessionError `limit`. */
function admit(asked: StreamRequest, limits: StreamLimits, context: HandlerContext): AdmittedStream {
  const peer = context.values.get(peerKey);
  return limits.admit({
    speaker: asked.type === "open" ? asked.options : asked.request.speaker,
    ...(peer && { address: addressKey(peer.address) }),
    ...(asked.type === "resume" && { resumes: asked.request.sessionId }),
  });
}

const textFormats: Partial<Readonly<Record<TranscriptFormat, ExportFormat>>> = {
  [TranscriptFormat.VTT]: "vtt",
  [TranscriptFormat.SRT]: "srt",
  [TranscriptFormat.TXT]: "txt",
};

/** A session that is not the caller's is answered as one that is not there. */
async function ownSession(
  sessionId: string,
  context: HandlerContext,
  store: SessionStore,
): Promise<StoredSession> {
  const caller = requireCaller(context, "user", "service");
  const session = await store.get(sessionId);
  if (!session || (caller.kind === "user" && session.userId !== caller.userId)) {
    throw new ConnectError("session_id: no such session", Code.NotFound);
  }
  return session;
}
